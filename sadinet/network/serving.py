"""The same network, rearranged for runtimes that compute on blocks of channels.

ONNX Runtime keeps eight or sixteen channels side by side in memory as long as it meets convolutions, pooling and
sums of equal shape; at every split, concatenation, difference or reduction it copies the whole feature back and forth,
which took as long as the arithmetic. Here such places are written as convolutions: batch norms are folded, a split
before dilated branches becomes one convolution a branch, a concatenation before a 1x1 becomes a sum of 1x1s, a gate of
one channel becomes one of all. Values are those of the trained network up to rounding; parameters are derived from it
and never trained.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sadinet.network.layers import ConvNorm, SqueezeExcite
from sadinet.network.model import SadiNet
from sadinet.network.rfm import ResidualBlock, SplitDilation
from sadinet.network.sfm import GlobalFusion, LocalFusion

_BLOCK = 8
"""Fewest channels that are computed at once."""


def serving_form(network: SadiNet) -> SadiNet:
    """Return a copy of a network in evaluation mode that computes the same with fewer changes of layout."""
    if network.training:
        raise ValueError("only a network in evaluation mode has fixed batch norms")
    served = copy.deepcopy(network)
    _rearrange(served)
    return served.requires_grad_(False)


def _rearrange(module: nn.Module) -> None:
    for name, child in module.named_children():
        setattr(module, name, _served(child))


def _served(module: nn.Module) -> nn.Module:
    if isinstance(module, ResidualBlock) and isinstance(module.middle, SplitDilation):
        return ServedBlock(module)
    if isinstance(module, LocalFusion):
        return ServedLocalFusion(module)
    if isinstance(module, GlobalFusion):
        return ServedGlobalFusion(module)
    if isinstance(module, SqueezeExcite):
        return ServedExcite(module)
    if isinstance(module, ConvNorm):
        return nn.Sequential(folded(module), nn.ReLU()) if len(module) > 2 else folded(module)
    _rearrange(module)
    return module


def folded(layer: nn.Module) -> nn.Conv2d:
    """Return the convolution of a `ConvNorm` with its batch norm inside."""
    assert isinstance(layer, ConvNorm)  # noqa: S101  what the network is built of
    conv, norm = layer[0], layer[1]
    assert isinstance(conv, nn.Conv2d)  # noqa: S101
    assert isinstance(norm, nn.BatchNorm2d)  # noqa: S101
    return fuse_conv_bn_eval(conv, norm)


def _conv(weight: Tensor, bias: Tensor | None = None) -> nn.Conv2d:
    """Return a 1x1 convolution with these weights (out, in, 1, 1)."""
    layer = nn.Conv2d(weight.shape[1], weight.shape[0], 1, bias=bias is not None)
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer


class ServedExcite(nn.Module):
    """`SqueezeExcite` with a pooling that runtimes know."""

    def __init__(self, trained: SqueezeExcite) -> None:
        super().__init__()
        self.squeeze, self.excite = trained.squeeze, trained.excite

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1)))
        return x * _spread(torch.sigmoid(self.excite(gate)), x)


def _spread(gate: Tensor, like: Tensor) -> Tensor:
    """Repeat (N, C, 1, 1) to the size of a square feature; a product of unequal shapes changes the layout."""
    return F.interpolate(gate, scale_factor=[float(side) for side in like.shape[2:]], mode="nearest")


class ServedBlock(nn.Module):
    """RFM: every branch with its own reducing and expanding 1x1."""

    def __init__(self, trained: ResidualBlock) -> None:
        super().__init__()
        middle = trained.middle
        assert isinstance(middle, SplitDilation)  # noqa: S101
        reduce, expand = folded(trained.reduce), folded(trained.expand)
        count = len(middle.branches)
        assert reduce.bias is not None  # noqa: S101  the batch norm's
        weights, biases = reduce.weight.chunk(count), reduce.bias.chunk(count)
        self.reduce = nn.ModuleList([_conv(w, b) for w, b in zip(weights, biases, strict=True)])
        self.middle = nn.ModuleList([folded(branch) for branch in middle.branches])
        shares = expand.weight.chunk(count, dim=1)
        self.expand = nn.ModuleList([_conv(w, None if i else expand.bias) for i, w in enumerate(shares)])
        self.se = _served(trained.se)
        self.skip = _served(trained.skip)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor | None = None
        for reduce, middle, expand in zip(self.reduce, self.middle, self.expand, strict=True):
            part = expand(torch.relu(middle(torch.relu(reduce(x)))))
            total = part if total is None else total + part
        return torch.relu(self.se(total) + self.skip(x))


class ServedLocalFusion(nn.Module):
    """`LocalFusion` with every 1x1 of the coarser feature before it is raised.

    With m the mixing 1x1, r the raised feature and g the gate: m(r + g (f - r)) = m r + g (m f - m r). The gate is
    the same for all channels, and given to each of them: the product of a feature and one channel changes the layout.
    """

    def __init__(self, trained: LocalFusion) -> None:
        super().__init__()
        mix = folded(trained.mix)
        channels = mix.weight.shape[0]
        gate_fine, gate_coarse = trained.gate.weight.chunk(2, dim=1)
        assert trained.gate.bias is not None  # noqa: S101
        self.gate_fine = _conv(gate_fine.repeat(_BLOCK, 1, 1, 1), trained.gate.bias.repeat(_BLOCK))
        self.gate_coarse = _conv(gate_coarse.repeat(_BLOCK, 1, 1, 1))
        self.share = _conv(torch.full((channels, _BLOCK, 1, 1), 1 / _BLOCK))
        self.fine = _conv(mix.weight)
        self.coarse = _conv(mix.weight, mix.bias)
        self.less = _conv(-mix.weight)

    def forward(self, fine: Tensor, coarse: Tensor) -> Tensor:
        gate = torch.sigmoid(self.share(self.gate_fine(fine) + _raised(self.gate_coarse(coarse))))
        apart = self.fine(fine) + _raised(self.less(coarse))
        return torch.relu(fine + _raised(self.coarse(coarse)) + gate * apart)


def _raised(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


class ServedGlobalFusion(nn.Module):
    """`GlobalFusion` whose weights come out of a convolution, here the identity, and so in its layout."""

    def __init__(self, trained: GlobalFusion) -> None:
        super().__init__()
        self.scales, self.channels = trained.scales, trained.channels
        hidden = trained.squeeze.out_features
        shares = trained.squeeze.weight.view(hidden, self.scales, self.channels, 1, 1).unbind(1)
        self.squeeze = nn.ModuleList([_conv(w, None if i else trained.squeeze.bias) for i, w in enumerate(shares)])
        self.weigh = _conv(trained.weigh.weight[..., None, None], trained.weigh.bias)
        same = self.scales * torch.eye(self.channels)[..., None, None]
        self.same = nn.ModuleList([_conv(same) for _ in range(self.scales)])

    def forward(self, features: list[Tensor]) -> list[Tensor]:
        hidden = self.squeeze[0](F.adaptive_avg_pool2d(features[0], 1))
        for squeeze, feature in zip(self.squeeze[1:], features[1:], strict=True):
            hidden = hidden + squeeze(F.adaptive_avg_pool2d(feature, 1))
        logits = self.weigh(torch.relu(hidden))
        shares = logits.view(-1, self.scales, self.channels, 1).float().softmax(dim=1).to(logits.dtype)
        return [
            f * _spread(same(shares[:, i, :, :, None]), f)
            for i, (f, same) in enumerate(zip(features, self.same, strict=True))
        ]
