"""The torch decoder against the numpy one."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from sadinet.dark import Method, Modulation, encode
from sadinet.dark import decode as numpy_decode
from sadinet.errors import InputError

torch = pytest.importorskip("torch")
from sadinet.network.decode import decode  # noqa: E402

WAYS = [(m, "max") for m in get_args(Method)] + [("dark", m) for m in get_args(Modulation) if m != "max"]


def crowd(noise: float, people: int = 50, joints: int = 19, size_wh: tuple[int, int] = (48, 64), sigma: float = 2.0):
    rng = np.random.default_rng(3)
    points = rng.uniform((0, 0), (size_wh[0] - 1, size_wh[1] - 1), (people, joints, 2))
    maps = encode(points, size_wh, sigma)
    return (maps + rng.normal(0, noise, maps.shape)).astype(np.float32)


@pytest.mark.parametrize("noise", [0.0, 0.05])
@pytest.mark.parametrize(("method", "modulation"), WAYS)
def test_agrees_with_numpy_for_fifty_people(method, modulation, noise):
    maps = crowd(noise)
    decoded = decode(torch.from_numpy(maps), 2.0, method, modulation)
    expected = numpy_decode(maps, 2.0, method, modulation)
    assert decoded.cells.shape == (50, 19, 2)
    assert decoded.cells.dtype == decoded.scores.dtype == torch.float32
    np.testing.assert_allclose(decoded.cells.numpy(), expected.cells, atol=1e-3)
    np.testing.assert_array_equal(decoded.scores.numpy(), expected.scores)


@pytest.mark.parametrize(("method", "modulation"), WAYS)
def test_ties_and_borders_resolve_as_in_numpy(method, modulation):
    points = np.array([[[x, y] for x in (0, 0.5, 3, 12.5, 23) for y in (0, 1, 7.5, 15)]])
    maps = np.concatenate([encode(points, (24, 16), 1.5), np.zeros((1, 20, 16, 24), np.float32)])
    decoded = decode(torch.from_numpy(maps), 1.5, method, modulation)
    np.testing.assert_allclose(decoded.cells.numpy(), numpy_decode(maps, 1.5, method, modulation).cells, atol=1e-3)


@pytest.mark.parametrize(("method", "modulation"), WAYS)
@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 1, 1, 5), (0, 19, 64, 48), (1, 3, 4, 4)])
def test_small_and_empty_maps(shape, method, modulation):
    maps = np.random.default_rng(0).random(shape, dtype=np.float32)
    decoded = decode(torch.from_numpy(maps), 2.0, method, modulation)
    expected = numpy_decode(maps, 2.0, method, modulation)
    np.testing.assert_allclose(decoded.cells.numpy(), expected.cells, atol=1e-3)
    np.testing.assert_array_equal(decoded.scores.numpy(), expected.scores)


@pytest.mark.parametrize(("method", "modulation"), WAYS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_map_that_is_not_finite_has_no_joint_and_spoils_no_other(bad, method, modulation):
    maps = crowd(0.0, people=1, joints=2)
    good = decode(torch.from_numpy(maps), 2.0, method, modulation)
    maps[0, 0, 5, 5] = bad
    decoded = decode(torch.from_numpy(maps), 2.0, method, modulation)
    assert torch.isnan(decoded.cells[0, 0]).all()
    assert decoded.scores[0, 0] == 0
    torch.testing.assert_close(decoded.cells[0, 1], good.cells[0, 1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_computes_in_fp32_whatever_comes(dtype):
    maps = torch.from_numpy(crowd(0.0, people=2)).to(dtype)
    decoded = decode(maps, 2.0)
    expected = numpy_decode(maps.float().numpy(), 2.0)
    np.testing.assert_allclose(decoded.cells.numpy(), expected.cells, atol=1e-3)
    assert decoded.scores.dtype == torch.float32


def test_autocast_around_it_changes_nothing():
    maps = torch.from_numpy(crowd(0.05, people=2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = decode(maps, 2.0)
    torch.testing.assert_close(inside.cells, decode(maps, 2.0).cells)


def test_runs_where_the_maps_are():
    if not torch.cuda.is_available():
        pytest.skip("no GPU here")
    maps = crowd(0.05)
    decoded = decode(torch.from_numpy(maps).cuda(), 2.0)
    assert decoded.cells.is_cuda
    assert decoded.scores.is_cuda
    np.testing.assert_allclose(decoded.cells.cpu().numpy(), numpy_decode(maps, 2.0).cells, atol=1e-3)


def test_refuses_what_numpy_refuses():
    maps = torch.zeros(1, 1, 4, 4)
    for arguments in ((maps[0], 2.0), (maps, 0.0), (maps, 2.0, "best"), (maps, 2.0, "dark", "half")):
        with pytest.raises(InputError):
            decode(*arguments)
