"""Crops made in batches are those made one by one; each effect is held against OpenCV or a sum done by hand."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from sadinet.skeletons import BODY19
from sadinet.training.augment import AugmentConfig, draw_crop
from sadinet.training.datasets import PersonSet
from sadinet.training.effects import compress, cover, hide, paste, recolour, soften
from sadinet.training.render import PictureStore, render, stack_draws
from sadinet.training.warp import GROUND_BGR, cut_crop, to_crops, warp

WILD = AugmentConfig(
    rotation_deg=40, full_turn=0.3, scale=0.2, shift=0.1, half_body=0.3, close_up=0.3, other=0.7, patch=0.5, blur=0.4,
    low_res=0.4, grey=0.3, jpeg=0.5,
)  # fmt: skip


def smooth(height, width, seed):
    """A picture without edges, as both warps interpolate: OpenCV in steps of 1/32 px."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(0, 255, (4, 4, 3)).astype(np.float32)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def smooth_people(count):
    rng = np.random.default_rng(5)
    shapes = [(int(h), int(w)) for h, w in rng.integers(90, 200, (count, 2))]
    pictures = [smooth(*shape, seed) for seed, shape in enumerate(shapes)]
    joints = np.stack([rng.uniform(0.2, 0.8, (19, 2)) * (w, h) for h, w in shapes]).astype(np.float32)
    weight = (rng.random((count, 19)) < 0.9).astype(np.float32)
    joints[weight == 0] = np.nan
    return PersonSet("smooth", pictures, joints, weight, [str(i) for i in range(count)])


def planes_of(picture):
    return torch.from_numpy(picture).permute(2, 0, 1)[None].float()


def picture_of(planes):
    return to_crops(planes)[0].numpy()


@pytest.mark.parametrize("size_wh", [(128, 128), (96, 128)])
def test_a_batch_on_a_device_is_what_single_crops_are(size_wh):
    people = smooth_people(6)
    draws = [draw_crop(people, i % 6, size_wh, WILD, (1, 0, i)) for i in range(16)]
    alone = np.stack([render(people, draw, size_wh) for draw in draws]).astype(int)
    store = PictureStore([people], torch.device("cpu"))
    together = store.render(stack_draws(draws), size_wh).numpy().astype(int)
    apart = np.abs(alone - together)
    # JPEG's steps and the picture's rim may turn a rounding into levels; nearly all of it is alike.
    assert apart.mean() < 0.6
    assert (apart > 4).mean() < 0.02
    assert sum(draw.other >= 0 for draw in draws) > 3


PLAIN = AugmentConfig(colour=0, blur=0, low_res=0, grey=0, patch=0, other=0, jpeg=0, close_up=0, half_body=0)


def dotted_person(side):
    """One person in a square picture: a large white dot on joint 0, the other joints around it."""
    at = np.random.default_rng(0).uniform(0.25, 0.75, (19, 2)) * side
    at[0] = (0.47 * side, 0.55 * side)
    y, x = np.mgrid[:side, :side]
    spot = 250 * np.exp(-((x - at[0, 0]) ** 2 + (y - at[0, 1]) ** 2) / (2 * (side / 40) ** 2))
    picture = np.repeat(np.round(spot).astype(np.uint8)[..., None], 3, axis=2)
    return PersonSet("dot", [picture], at[None].astype(np.float32), np.ones((1, 19), np.float32), ["0"])


def centre_of_light(crop):
    light = crop[..., 0].astype(float)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    return np.array([(light * x).sum(), (light * y).sum()]) / light.sum()


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("side", [480, 300])
def test_large_pictures_are_kept_smaller_and_joints_stay_where_they_are(side, flip):
    people = dotted_person(side)
    still = replace(PLAIN, zoom=0.4, scale=0, shift=0, rotation_deg=0, full_turn=0, flip=flip)
    draw = draw_crop(people, 0, (64, 64), still, (1, 0, 0))
    assert draw.weight[BODY19.flip_order[0] if flip else 0] == 1
    at = draw.points[BODY19.flip_order[0] if flip else 0]
    store = PictureStore([people], torch.device("cpu"))
    got = centre_of_light(store.render(stack_draws([draw]), (64, 64))[0].numpy())
    assert store.pictures.shape == (1, 96, 96, 3)
    np.testing.assert_allclose(got, at, atol=0.1)
    np.testing.assert_allclose(centre_of_light(render(people, draw, (64, 64))), at, atol=0.1)


def test_pictures_are_kept_as_large_as_the_stages_crops_need_them():
    people = smooth_people(3)
    largest = max(max(picture.shape[:2]) for picture in people.pictures)
    assert 150 < largest < 192
    store = PictureStore([people], torch.device("cpu"))
    assert [store.bytes_for((side, side)) for side in (64, 128)] == [3 * 3 * 96**2, 3 * 3 * largest**2]
    for size_wh, side in (((64, 64), 96), ((48, 64), 96), ((128, 128), largest), ((64, 64), largest)):
        draws = [draw_crop(people, i, size_wh, PLAIN, (1, 0, i)) for i in range(3)]
        together = store.render(stack_draws(draws), size_wh).numpy().astype(int)
        assert store.pictures.shape[1] == side
    # From here on nothing is shrunk: a crop is what it is where pictures are cut one by one.
    alone = np.stack([render(people, draw, (64, 64)) for draw in draws]).astype(int)
    assert np.abs(together - alone).max() <= 12
    assert np.abs(together - alone).mean() < 0.3


def test_the_warp_is_opencvs():
    picture = smooth(90, 120, 3)
    matrix = np.array([[0.9, 0.5, -10.0], [-0.5, 0.9, 40.0]])
    inverse = cv2.invertAffineTransform(matrix)
    got = picture_of(warp(torch.from_numpy(picture)[None], torch.from_numpy(inverse)[None], (100, 80))).astype(int)
    expected = cut_crop(picture, matrix, (100, 80)).astype(int)
    apart = np.abs(got - expected)
    assert apart.mean() < 0.5
    # At the rim a step of 1/32 px is a thirtieth of the way to the ground's colour.
    assert apart.max() <= 12
    away = warp(torch.from_numpy(picture)[None], torch.tensor([[[1.0, 0, 500], [0, 1, 0]]]), (4, 4))
    assert tuple(picture_of(away)[0, 0]) == GROUND_BGR


def test_blur_is_opencvs_away_from_the_rim():
    picture = np.random.default_rng(0).integers(0, 256, (64, 72, 3), dtype=np.uint8)
    got = picture_of(soften(planes_of(picture), torch.tensor([1.3]), torch.tensor([1.0]))).astype(int)
    expected = cv2.GaussianBlur(picture, (15, 15), 1.3).astype(int)
    assert np.abs(got - expected)[8:-8, 8:-8].max() <= 1


@pytest.mark.parametrize("factor", [2.0, 3.2, 4.0])
def test_lost_resolution_is_opencvs(factor):
    picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    got = picture_of(soften(planes_of(picture), torch.tensor([0.0]), torch.tensor([factor]))).astype(int)
    cells = round(64 / factor)
    small = cv2.resize(picture.astype(np.float32), (cells, cells), interpolation=cv2.INTER_AREA)
    expected = cv2.resize(small, (64, 64), interpolation=cv2.INTER_LINEAR)
    assert np.abs(got - expected).max() <= 1.5


@pytest.mark.parametrize("quality", [15, 40, 60])
def test_jpegs_noise_is_that_of_a_jpeg_file(quality):
    picture = smooth(64, 64, 2).astype(int) + np.random.default_rng(2).integers(-20, 21, (64, 64, 3))
    picture = picture.clip(0, 255).astype(np.uint8)
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality]
    settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    expected = cv2.imdecode(cv2.imencode(".jpg", picture, settings)[1], cv2.IMREAD_COLOR).astype(int)
    got = picture_of(compress(planes_of(picture), torch.tensor([float(quality)]))).astype(int)
    noise = np.abs(expected - picture.astype(int)).mean()
    assert np.abs(got - expected).mean() < 0.1 * noise


def test_colour_by_hand():
    planes = torch.tensor([10.0, 100.0, 200.0]).view(1, 3, 1, 1)
    gain, offset = torch.tensor([[2.0, 1.0, 1.5]]), torch.tensor([-5.0])
    coloured = recolour(planes, gain, offset, torch.tensor([False])).flatten().tolist()
    assert coloured == [15, 95, 255]
    grey = recolour(planes, gain, offset, torch.tensor([True])).flatten().tolist()
    assert grey == pytest.approx([0.114 * 15 + 0.587 * 95 + 0.299 * 255] * 3, abs=1e-3)


def test_patches_cover_their_own_rows_only():
    planes = torch.zeros(2, 3, 8, 8)
    patches = torch.zeros(2, 2, 7)
    patches[0, 0] = torch.tensor([2.0, 1, 3, 2, 7, 8, 9])
    hidden = hide(planes, patches)
    assert hidden[1].abs().sum() == 0
    assert (hidden[0, 0] == 7).sum() == 6
    assert hidden[0, :, 1, 2].tolist() == [7, 8, 9]
    assert hidden[0, :, 3, 2].tolist() == [0, 0, 0]


def test_a_capsule_covers_what_is_near_its_line():
    shape = torch.tensor([[[10.0, 20, 30, 20, 4], [0, 0, 40, 40, -1]]])
    covered = cover(shape, (48, 40))[0, 0]
    assert covered[20, 20] == covered[23, 20] == covered[20, 33] == 1
    assert covered[26, 20] == covered[20, 40] == covered[0, 0] == 0
    assert 0 < covered[24, 20] < 1


def test_who_is_behind_is_hidden_by_who_is_in_front():
    planes, others = torch.full((2, 3, 32, 32), 50.0), torch.full((2, 3, 32, 32), 200.0)
    other = torch.tensor([[[4.0, 16, 28, 16, 5]]]).repeat(2, 1, 1)
    own = torch.tensor([[[16.0, 4, 16, 28, 5]]]).repeat(2, 1, 1)
    pasted = paste(planes, others, other, own, torch.tensor([True, False]))
    assert pasted[0, 0, 16, 16] == 200
    assert pasted[1, 0, 16, 16] == 50
    assert pasted[1, 0, 16, 6] == 200
    assert (pasted[:, 0, 2, 2] == 50).all()
