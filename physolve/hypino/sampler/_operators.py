"""Random operators c0 u + c1 u_x + c2 u_y + c3 u_xx + c4 u_yy, their types, and what keeps them well posed.

As published (2509.05117): one to three of the five terms, coefficients U(-2, 2), the type by the signs of c3 and c4.
Different from there, because initial value problems must be well posed and time must be y:
- parabolic operators have both u_y and u_xx and c2 c3 < 0 (else the heat would flow backwards), and never u_yy alone;
- coefficients keep the ratios of OperatorLimits;
- operators without a second-order term, or with u_xx alone, are a small share (`degenerate`) with the conditions of
  parabolic ones; operators with u_yy and no u_xx are left out;
- a share is pure: equal Laplacians with or without c0, heat and wave operators, with coefficients log-uniform.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ._draws import Draws
from ._settings import OperatorLimits, SamplerSettings

ELLIPTIC, PARABOLIC, HYPERBOLIC, DEGENERATE = range(4)

# Terms of u, u_x, u_y, u_xx, u_yy that are there, for every type; one line of a type as likely as another.
TERMS = (
    ((0, 0, 0, 1, 1), (1, 0, 0, 1, 1), (0, 1, 0, 1, 1), (0, 0, 1, 1, 1)),
    ((0, 0, 1, 1, 0), (0, 0, 1, 1, 0), (1, 0, 1, 1, 0), (0, 1, 1, 1, 0)),
    ((0, 0, 0, 1, 1), (1, 0, 0, 1, 1), (0, 1, 0, 1, 1), (0, 0, 1, 1, 1)),
    ((0, 1, 1, 0, 0), (1, 1, 1, 0, 0), (0, 0, 0, 1, 0), (1, 0, 0, 1, 0)),
)
PURE_TERMS = (
    ((0, 0, 0, 1, 1), (1, 0, 0, 1, 1)),
    ((0, 0, 1, 1, 0), (0, 0, 1, 1, 0)),
    ((0, 0, 0, 1, 1), (0, 0, 0, 1, 1)),
    ((0, 1, 1, 0, 0), (0, 0, 0, 1, 0)),
)


@dataclass(frozen=True, eq=False)
class Operators:
    """Coefficients in the order of LAYOUT and the type of every sample."""

    coefficients: Float[Tensor, "batch 5"]
    type: Int[Tensor, " batch"]

    @property
    def elliptic(self) -> Bool[Tensor, " batch"]:
        return self.type == ELLIPTIC

    @property
    def hyperbolic(self) -> Bool[Tensor, " batch"]:
        return self.type == HYPERBOLIC

    @property
    def size(self) -> Float[Tensor, " batch"]:
        """What a source must be multiplied by to keep the solution's size: mean |c3|, |c4| and a fifth of |c0|."""
        c = self.coefficients.abs()
        return 0.5 * (c[:, 3] + c[:, 4]) + 0.2 * c[:, 0]

    def pick(self, rows: Int[Tensor, " some"]) -> "Operators":
        return Operators(self.coefficients[rows], self.type[rows])

    def apply(self, jet: Float[Tensor, "batch 5 n"]) -> Float[Tensor, "batch n"]:
        """L[u]."""
        return (self.coefficients[:, None] @ jet)[:, 0]


def random_operators(draws: Draws, settings: SamplerSettings, regular: Bool[Tensor, " batch"]) -> Operators:
    """Operators of the settings' shares of types; `regular` samples get no degenerate ones (elliptic instead)."""
    count, shares = len(regular), settings.types
    kinds = draws.shares((shares.elliptic, shares.parabolic, shares.hyperbolic, shares.degenerate), count)
    kinds = torch.where(regular & (kinds == DEGENERATE), ELLIPTIC, kinds)
    pure = draws.chance(settings.pure, count)
    terms = torch.where(pure[:, None], _terms(draws, PURE_TERMS, kinds), _terms(draws, TERMS, kinds))
    sizes = torch.where(
        pure[:, None], _pure_sizes(draws, settings.limits, terms), _sizes(draws, settings.limits, count)
    )
    equal = pure & (kinds == ELLIPTIC)
    sizes[:, 4] = torch.where(equal, sizes[:, 3], sizes[:, 4])
    coefficients = limited(terms * sizes * _signs(draws, kinds), kinds, settings.limits)
    return Operators(coefficients, kinds)


def limited(
    coefficients: Float[Tensor, "batch 5"], kinds: Int[Tensor, " batch"], limits: OperatorLimits
) -> Float[Tensor, "batch 5"]:
    """Coefficients cut so that the ratios of the limits hold; signs stay."""
    caps = torch.stack([bound(coefficients, limits) for bound in (_elliptic, _parabolic, _hyperbolic, _free)])
    cap = caps[kinds, torch.arange(len(kinds), device=kinds.device)]
    return coefficients.sign() * coefficients.abs().minimum(cap)


def _terms(draws: Draws, table: tuple, kinds: Int[Tensor, " batch"]) -> Float[Tensor, "batch 5"]:
    lines = torch.tensor(table, dtype=torch.float32, device=draws.device)
    return lines[kinds, draws.integers(0, lines.shape[1], len(kinds))]


def _sizes(draws: Draws, limits: OperatorLimits, count: int) -> Float[Tensor, "count 5"]:
    return draws.uniform(count, 5, low=limits.smallest, high=limits.largest)


def _pure_sizes(draws: Draws, limits: OperatorLimits, terms: Float[Tensor, "batch 5"]) -> Float[Tensor, "batch 5"]:
    """Log-uniform, the largest raised to U(0.5, 2): only the smaller ones are small."""
    sizes = draws.log_uniform(*terms.shape, low=limits.smallest, high=limits.largest)
    largest = (sizes * terms).amax(1, keepdim=True)
    raised = draws.uniform(len(terms), 1, low=0.25, high=1.0) * limits.largest
    return torch.where(sizes == largest, torch.maximum(raised, largest), sizes)


def _signs(draws: Draws, kinds: Int[Tensor, " batch"]) -> Float[Tensor, "batch 5"]:
    """Random signs, but those of c3 against c4 (or c2, for parabolic operators) are what the type says."""
    signs = draws.sign(len(kinds), 5)
    signs[:, 4] = torch.where(kinds == HYPERBOLIC, -signs[:, 3], signs[:, 3])
    signs[:, 2] = torch.where(kinds == PARABOLIC, -signs[:, 3], signs[:, 2])
    return signs


def _elliptic(c: Float[Tensor, "batch 5"], limits: OperatorLimits) -> Float[Tensor, "batch 5"]:
    least = c[:, 3:].abs().amin(1)
    resonant = torch.where(c[:, 0] * c[:, 3] > 0, limits.resonance * least, torch.inf)
    layers, ratio = limits.peclet * least, limits.anisotropy * least
    return torch.stack([resonant, layers, layers, ratio, ratio], 1)


def _parabolic(c: Float[Tensor, "batch 5"], limits: OperatorLimits) -> Float[Tensor, "batch 5"]:
    time, unbounded = c[:, 2].abs(), torch.full_like(c[:, 0], torch.inf)
    diffusion = limits.diffusion * time
    layers = limits.peclet * torch.minimum(c[:, 3].abs(), diffusion)
    reaction = torch.where(c[:, 0] * c[:, 2] < 0, limits.growth, limits.peclet) * time
    return torch.stack([reaction, layers, unbounded, diffusion, unbounded], 1)


def _hyperbolic(c: Float[Tensor, "batch 5"], limits: OperatorLimits) -> Float[Tensor, "batch 5"]:
    time, unbounded = c[:, 4].abs(), torch.full_like(c[:, 0], torch.inf)
    speed = limits.speed * time
    # the solution drifts as exp(c1 x / 2 c3), so that this ratio is a growth rate too
    drift = limits.growth * torch.minimum(c[:, 3].abs(), speed)
    reaction = torch.where(c[:, 0] * c[:, 4] < 0, limits.growth, limits.peclet) * time
    damping = torch.where(c[:, 2] * c[:, 4] < 0, limits.growth, limits.peclet) * time
    return torch.stack([reaction, drift, damping, speed, unbounded], 1)


def _free(c: Float[Tensor, "batch 5"], limits: OperatorLimits) -> Float[Tensor, "batch 5"]:
    return torch.full_like(c, torch.inf)
