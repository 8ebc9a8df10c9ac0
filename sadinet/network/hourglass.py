"""One hourglass (arXiv 1603.06937): down by pooling, up by adding, a block on every way."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from sadinet.network.config import NetworkConfig
from sadinet.network.layers import ConvNorm
from sadinet.network.rfm import make_block


def _chain(width: int, count: int, config: NetworkConfig) -> nn.Sequential:
    return nn.Sequential(*[make_block(width, width, config) for _ in range(count)])


class Hourglass(nn.Module):
    """(N, widths[0], H, W) -> the decoder's features at every scale, finest first."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        steps = list(zip(config.widths[:-1], config.widths[1:], strict=True))
        self.across = nn.ModuleList([make_block(fine, fine, config) for fine, _ in steps])
        self.down = nn.ModuleList([make_block(fine, coarse, config) for fine, coarse in steps])
        self.bottom = _chain(config.widths[-1], config.blocks_at[-1], config)
        self.narrow = nn.ModuleList([ConvNorm(coarse, fine, act=False) for fine, coarse in steps])
        counts = config.blocks_at[:-1]
        self.up = nn.ModuleList([_chain(fine, n, config) for (fine, _), n in zip(steps, counts, strict=True)])

    def forward(self, x: Tensor) -> list[Tensor]:
        kept = []
        for across, down in zip(self.across, self.down, strict=True):
            kept.append(across(x))
            x = down(F.max_pool2d(x, 2))
        features = [self.bottom(x)]
        for narrow, up, side in zip(reversed(self.narrow), reversed(self.up), reversed(kept), strict=True):
            raised = F.interpolate(narrow(features[0]), scale_factor=2.0, mode="nearest")
            features.insert(0, up(side + raised))
        return features
