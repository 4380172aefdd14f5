"""Elementwise functions with their first two derivatives: the table the jets' chain rule reads."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Derivatives = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class Activation:
    """A function s of one variable. `derivatives(x)` gives (s, s', s'') elementwise, in the dtype of x.

    `name` is what files and messages call it.
    """

    name: str
    derivatives: Callable[[Tensor], Derivatives]

    def __call__(self, x: Tensor) -> Tensor:
        return self.derivatives(x)[0]

    def __repr__(self) -> str:
        return self.name


def _identity(x: Tensor) -> Derivatives:
    return x, torch.ones_like(x), torch.zeros_like(x)


def _tanh(x: Tensor) -> Derivatives:
    s = torch.tanh(x)
    slope = 1 - s * s
    return s, slope, -2 * s * slope


def _sine(x: Tensor) -> Derivatives:
    s = torch.sin(x)
    return s, torch.cos(x), -s


def _cosine(x: Tensor) -> Derivatives:
    s = torch.cos(x)
    return s, -torch.sin(x), -s


def _gelu(x: Tensor) -> Derivatives:
    """x Phi(x) with the normal distribution Phi, not its tanh approximation."""
    cumulative = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    density = torch.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return x * cumulative, cumulative + x * density, density * (2 - x * x)


def _silu(x: Tensor) -> Derivatives:
    p = torch.sigmoid(x)
    q = p * (1 - p)
    return x * p, p + x * q, q * (2 + x * (1 - 2 * p))


def _exp(x: Tensor) -> Derivatives:
    s = torch.exp(x)
    return s, s, s


def _square(x: Tensor) -> Derivatives:
    return x * x, 2 * x, torch.full_like(x, 2.0)


def _reciprocal(x: Tensor) -> Derivatives:
    s = 1 / x
    return s, -s * s, 2 * s * s * s


IDENTITY = Activation("identity", _identity)
TANH = Activation("tanh", _tanh)
SINE = Activation("sine", _sine)
COSINE = Activation("cosine", _cosine)
GELU = Activation("gelu", _gelu)
SILU = Activation("silu", _silu)
EXP = Activation("exp", _exp)
SQUARE = Activation("square", _square)
RECIPROCAL = Activation("reciprocal", _reciprocal)

ACTIVATIONS: tuple[Activation, ...] = (IDENTITY, TANH, SINE, COSINE, GELU, SILU, EXP, SQUARE, RECIPROCAL)


def activation_of_name(name: str) -> Activation:
    """The activation a saved file names; raises ValueError that lists those there are."""
    for activation in ACTIVATIONS:
        if activation.name == name:
            return activation
    raise ValueError(f"activation: got {name!r}, expected one of {[a.name for a in ACTIVATIONS]}")
