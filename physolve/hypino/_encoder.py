"""Raster and coefficients to tokens on several scales. Attributes are named as in the published state dict."""

from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ._encoding import CircleFeatures, FourierFeatures, compressed, position_code
from ._film import FiLM, Statistics
from ._sizes import HypernetworkSizes, SwinSizes

CHANNELS = 5
DATA = slice(2, 5)  # channels that hold values: Dirichlet, Neumann, source


class Encoder(nn.Module):
    """Stems, Swin stages and FiLM after each.

    embedding = norm(conv([b1(masks) + b2(masks) bc(values), s(source)] + position)),  s of the compressed source
    """

    position: Tensor

    def __init__(self, sizes: HypernetworkSizes) -> None:
        super().__init__()
        width, swin, self.published = sizes.stem, sizes.swin, sizes.published
        self.fourm_bc = _features(sizes, 2)
        self.fourm_s = _features(sizes, 1)
        self.proj_b1 = _stem(2, width)
        self.proj_b2 = _stem(2, width, nn.Tanh())
        self.proj_bc = _stem(self.fourm_bc.count, width)
        self.proj_s = _stem(self.fourm_s.count, width)
        self.register_buffer("position", position_code(2 * width, sizes.grid // 4), persistent=False)
        self.proj_norm = nn.Sequential(nn.Conv2d(2 * width, swin.embed, 1), nn.GroupNorm(4, swin.embed))
        self.mat_encoder = _swin(swin, sizes.grid, sizes.published)
        if sizes.published:
            self.coeff_fourier = _features(sizes, CHANNELS)
        coefficients = _features(sizes, CHANNELS)
        self.coeffs_embedding = nn.Sequential(
            coefficients, nn.Linear(coefficients.count, sizes.coefficients), nn.GELU()
        )
        condition = sizes.coefficients + sizes.statistics
        self.cond_layers = nn.ModuleList(FiLM(condition, width) for width in swin.widths)
        self.stats_layer = Statistics(_features(sizes, 4 * 3, keep=False), sizes.statistics)

    def forward(
        self, raster: Float[Tensor, "batch 5 n n"], coefficients: Float[Tensor, "batch 5"]
    ) -> list[Float[Tensor, "batch h w width"]]:
        """Tokens after every stage."""
        raster = torch.cat([raster[:, :4], compressed(raster[:, 4:])], 1)
        # Ratios of coefficients reach 100, at which Fourier features are noise; the published ones lie in [-2, 2].
        coefficients = coefficients if self.published else compressed(coefficients)
        condition = torch.cat([self.coeffs_embedding(coefficients), self.stats_layer(raster[:, DATA])], 1)
        x = self._embedded(raster).permute(0, 2, 3, 1)
        stages = []
        for stage, film in zip(cast(nn.Sequential, self.mat_encoder.layers), self.cond_layers, strict=True):
            x = film(stage(x), condition)
            stages.append(x)
        return stages

    def _embedded(self, raster: Float[Tensor, "batch 5 n n"]) -> Float[Tensor, "batch embed h w"]:
        masks, values, source = raster.split([2, 2, 1], 1)
        boundary = self.proj_b1(masks) + self.proj_b2(masks) * self.proj_bc(self.fourm_bc(values))
        x = torch.cat([boundary, self.proj_s(self.fourm_s(source))], 1)
        return self.proj_norm(x + self.position)


def _features(sizes: HypernetworkSizes, channels: int, *, keep: bool = True) -> FourierFeatures | CircleFeatures:
    if sizes.invariant:
        return CircleFeatures(channels, sizes.bands)
    return FourierFeatures(channels, sizes.bands, keep=keep)


def _stem(channels: int, width: int, *last: nn.Module) -> nn.Sequential:
    """Two convolutions, each of which halves the grid."""
    first = nn.Conv2d(channels, width, 3, stride=2, padding=1)
    return nn.Sequential(first, nn.GELU(), nn.Conv2d(width, width, 3, stride=2, padding=1), *(last or [nn.GELU()]))


def _swin(sizes: SwinSizes, grid: int, published: bool) -> nn.Module:
    """timm's transformer, of which only `layers` is run; the rest is kept to load published weights."""
    from timm.models.swin_transformer import SwinTransformer

    swin = SwinTransformer(
        img_size=grid,
        patch_size=4,
        in_chans=35,
        num_classes=0,
        embed_dim=sizes.embed,
        depths=sizes.depths,
        num_heads=sizes.heads,
        window_size=sizes.window,
        mlp_ratio=sizes.mlp_ratio,
        drop_path_rate=0.0,
    )
    if not published:
        swin.patch_embed = swin.norm = nn.Identity()
    return swin
