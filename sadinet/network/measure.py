"""How large a network is, what a crop costs, and how far a heatmap cell sees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from sadinet.network.config import STEM_STRIDE, NetworkConfig
from sadinet.network.model import SadiNet
from sadinet.network.sfm import LocalFusion


@dataclass(frozen=True, slots=True)
class Measures:
    """What a network is and costs.

    Attributes:
        parameters: numbers that are trained.
        macs: multiply-accumulates for one crop.
        receptive_px: side of the square of the crop that one heatmap cell depends on, crop pixels. It may be
            larger than the crop: then every cell sees all of it.
    """

    parameters: int
    macs: int
    receptive_px: int


def measure(config: NetworkConfig) -> Measures:
    """Measure a SADI-NET without computing or allocating any of it."""
    return Measures(*parameters_and_macs(config), receptive_field(config))


def parameters_and_macs(config: NetworkConfig) -> tuple[int, int]:
    """Return the numbers that are trained and the multiply-accumulates for one crop, without allocating any of it."""
    with FakeTensorMode():
        network = SadiNet(config).eval()
        parameters = sum(parameter.numel() for parameter in network.parameters())
        macs = count_macs(network, torch.zeros(1, 3, config.size_wh[1], config.size_wh[0]))
    return parameters, macs


def count_macs(network: nn.Module, planes: Tensor) -> int:
    """Count the multiply-accumulates of one forward pass by hooks on its convolutions and linear layers.

    Biases, norms (they are folded into convolutions for inference), activations, pooling and the few products
    of the distribution learning module (under 1% of a network) are left out, as is customary.

    Args:
        network: any network that takes `planes`.
        planes: (N, C, H, W), usually with N = 1.
    """
    total = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        weight = module.weight
        assert isinstance(weight, Tensor)  # noqa: S101  convolutions and linear layers have one
        # One value of the output costs as many products as one filter has weights.
        total += output.numel() * weight[0].numel()

    counted = [module for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    handles = [module.register_forward_hook(add) for module in counted]
    try:
        with torch.no_grad():
            network(planes)
    finally:
        for handle in handles:
            handle.remove()
    return total


def receptive_field(config: NetworkConfig) -> int:
    """Return the side of the square of crop pixels that a cell of the last stack's heatmaps depends on.

    It is the support of the gradient at the middle cell, see `gradient_support`, of a network of the same shape
    with few channels. What is pooled over the whole picture (squeeze-excite, global fusion, the distribution
    learning module) sees all of the crop anyhow and is left out. Every stack after the first adds the same, so
    that two are looked at for any number.
    """
    one = _reach(replace(config, stacks=1))
    if config.stacks == 1:
        return one
    return one + (config.stacks - 1) * (_reach(replace(config, stacks=2)) - one)


def gradient_support(
    network: Callable[[Tensor], Tensor], modules: nn.Module, *, width: int, height: int, stride: int
) -> int:
    """Return over how many columns of the input the gradient of the output's middle cell is not 0.

    All weights are made positive, so that nothing cancels, norms are made the identity, and maxima become means,
    so that every input counts; the input is constant. Means over the whole picture pass no gradient.

    Args:
        network: planes (1, 3, height, width) -> maps (1, K, height / stride, width / stride).
        modules: the same network, whose weights are changed.
        width: of the input, pixels; the result is exact where it is smaller.
        height: of the input, pixels.
        stride: pixels of the input for each cell of the output.
    """
    modules.double().eval()
    with torch.no_grad():
        for module in modules.modules():
            _make_positive(module)
    planes = torch.ones(1, 3, height, width, dtype=torch.float64, requires_grad=True)
    with _MeansForMaxima():
        maps = network(planes)
    maps[0, 0, height // stride // 2, width // stride // 2].backward()
    if planes.grad is None:
        return 0
    columns = (planes.grad[0].abs().sum(dim=(0, 1)) > 0).nonzero().flatten()
    return int(columns[-1] - columns[0]) + 1 if len(columns) else 0


def _reach(config: NetworkConfig) -> int:
    step = STEM_STRIDE * 2**config.depth
    narrow = replace(config, joints=1, dlm="off", widths=(4 * len(config.dilations),) * len(config.widths))
    width = 16 * step
    while True:
        network = SadiNet(replace(narrow, size_wh=(width, step)))
        found = gradient_support(
            lambda planes, network=network: network(planes)[-1].raw,  # type: ignore[misc]
            network,
            width=width,
            height=step,
            stride=STEM_STRIDE,
        )
        # A margin of a step on either side: then the border cut nothing off.
        if found < width - 2 * step:
            return found
        width *= 2


def _make_positive(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.Linear):
        module.weight.fill_(1 / module.weight[0].numel())
        if module.bias is not None:
            module.bias.zero_()
    elif isinstance(module, nn.BatchNorm2d):
        module.reset_running_stats()
        module.reset_parameters()
    elif isinstance(module, LocalFusion):
        # A gate's own gradient has both signs; half open it passes both of its inputs on.
        module.gate.register_forward_hook(lambda gate, inputs, output: torch.zeros_like(output))


class _MeansForMaxima(TorchFunctionMode):
    """Replace max pooling by mean pooling, and keep gradients out of means over the picture."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in (F.max_pool2d, torch.max_pool2d):
            known = ("kernel_size", "stride", "padding")
            return F.avg_pool2d(*args, **{name: kwargs[name] for name in known if kwargs.get(name) is not None})
        result = func(*args, **kwargs)
        return result.detach() if func is Tensor.mean else result
