"""What a network with made-up weights answers is stored: a change of its arithmetic shows here.

After a change on purpose, which also makes trained weights worthless: python tests/network/test_golden.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from sadinet.network.config import NetworkConfig  # noqa: E402
from sadinet.network.model import SadiNet  # noqa: E402

STORED = Path(__file__).resolve().parents[1] / "data" / "golden_network.npz"
SMALL = {"joints": 5, "size_wh": (48, 64), "heatmap_sigma": 1.5}
CONFIGS = {
    "rfm": NetworkConfig(widths=(16, 24, 32), stacks=2, **SMALL),
    "aspp": NetworkConfig(widths=(24, 48), block="aspp", dilations=(1, 2, 3), sfm="global", dlm="fixed", **SMALL),
    "residual": NetworkConfig(widths=(16, 32), block="residual", se=False, sfm="local", dlm="off", **SMALL),
}


def network_from_numpy(config: NetworkConfig) -> SadiNet:
    """Weights from numpy's generator, which no version of torch changes, in the order of their names."""
    rng = np.random.default_rng(7)
    network = SadiNet(config).eval()
    state = network.state_dict()
    for name in sorted(state):
        values = state[name]
        if name.endswith("num_batches_tracked"):
            continue
        fan_in = max(1, values[0].numel() if values.ndim > 1 else 1)
        drawn = rng.normal(0, 1, tuple(values.shape)) * (1.5 / fan_in**0.5 if values.ndim > 1 else 0.2)
        if name.endswith("running_var") or (name.endswith(".weight") and values.ndim == 1):
            drawn = 1 + np.abs(drawn)
        state[name] = torch.from_numpy(drawn).to(values.dtype)
    network.load_state_dict(state)
    return network


@torch.no_grad()
def answers(config: NetworkConfig) -> dict[str, np.ndarray]:
    crops = np.random.default_rng(8).normal(0, 1, (2, 3, 64, 48)).astype(np.float32)
    found = {}
    for i, answer in enumerate(network_from_numpy(config)(torch.from_numpy(crops))):
        maps = answer.heatmaps.numpy()
        found[f"{i}.heatmap_mean"] = maps.mean(axis=(2, 3))
        found[f"{i}.heatmap_std"] = maps.std(axis=(2, 3))
        found[f"{i}.heatmap_some"] = maps[:, :, ::5, ::5]
        if answer.mean is not None:
            found[f"{i}.mean"], found[f"{i}.sigma"] = answer.mean.numpy(), answer.sigma.numpy()
    return found


@pytest.mark.parametrize("name", CONFIGS)
def test_answers_are_those_that_were_stored(name):
    found = answers(CONFIGS[name])
    with np.load(STORED) as stored:
        expected = {key.removeprefix(f"{name}/"): stored[key] for key in stored.files if key.startswith(f"{name}/")}
    assert expected.keys() == found.keys()
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, atol=2e-3, rtol=2e-3, err_msg=key)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_stored_network_is_alive(name):
    """A golden answer that is flat or the same for both crops would hold nothing."""
    found = answers(CONFIGS[name])
    assert (found["0.heatmap_std"] > 1e-2).all()
    assert np.abs(found["0.heatmap_some"][0] - found["0.heatmap_some"][1]).max() > 1e-2


if __name__ == "__main__":
    np.savez_compressed(
        STORED, **{f"{name}/{key}": value for name, config in CONFIGS.items() for key, value in answers(config).items()}
    )
