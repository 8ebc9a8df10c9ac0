"""Crops made in batches are those made one by one; each effect is held against OpenCV or a sum done by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

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


def test_large_pictures_are_kept_smaller_and_cut_at_the_same_place():
    people = smooth_people(2)
    whole, small = (PictureStore([people], torch.device("cpu"), side) for side in (400, 100))
    assert small.pictures.shape[1] == 100
    plain = AugmentConfig(colour=0, blur=0, low_res=0, grey=0, patch=0, other=0, jpeg=0)
    draws = stack_draws([draw_crop(people, i, (64, 64), plain, (1, 0, i)) for i in (0, 1)])
    apart = (whole.render(draws, (64, 64)).int() - small.render(draws, (64, 64)).int()).abs().float()
    assert apart.mean() < 1.5


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
