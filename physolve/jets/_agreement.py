"""Whether the kernels on a GPU give the processor's numbers."""

import logging
from functools import cache
from math import prod

import torch
from torch import Tensor

from physolve._kernels import refuse_if_forced

from ._architecture import Architecture
from ._layout import JetLayout
from ._rules import arguments_of

AGREEMENT = 1e-3
"""float32 is off by 1e-6 here, a kernel that is wrong by much more than this."""

NETWORKS = 300
"""More than a GPU has blocks at once: some have to do with several."""

_log = logging.getLogger("physolve")


@cache
def device_agrees() -> bool:
    """Whether the GPU's kernels run and give the processor's numbers, asked once before they are used, as CI has no
    GPU. Where they do not, plain torch is used there, and that is told.

    Raises UnsupportedError where the environment variable PHYSOLVE_KERNELS asks for the compiled kernels.
    """
    try:
        off = disagreement("cuda")
    except RuntimeError as error:  # a launch that the device refuses
        trouble = f"do not run ({error})"
    else:
        if off < AGREEMENT:
            return True
        trouble = f"differ from the processor's by {off:.0e}"
    message = f"jet kernels on {torch.cuda.get_device_name()} {trouble}"
    refuse_if_forced(message)
    _log.warning("%s: plain torch is used there; please report it", message)
    return False


def disagreement(device: str) -> float:
    """Largest difference of jets and gradients on a device from those on the processor, relative; infinite for NaN.

    By all ways through the kernels: narrow networks of 32 and of 64 channels, and any.
    """
    cases = ((32, torch.float32), (40, torch.float32), (8, torch.float64))
    return max(_difference(device, width, dtype) for width, dtype in cases)


def _difference(device: str, width: int, dtype: torch.dtype) -> float:
    """The same of gated networks with one band, at points that leave a tile unfilled."""
    architecture = Architecture((2, width, width, 1), bands=(0.3,), gated=True)
    arguments = arguments_of(architecture, JetLayout.of(2, [(2, 0), (0, 2)]))
    weights = _numbers(NETWORKS, architecture.count) / 3
    points, cotangents = _numbers(NETWORKS, 37, 2), _numbers(NETWORKS, 5, 37, 1)

    def results(place: str) -> tuple[Tensor, Tensor]:
        p, w, c = (tensor.to(place, dtype) for tensor in (points, weights, cotangents))
        jets = torch.ops.physolve.jet_forward(p, w, *arguments)
        gradient, _ = torch.ops.physolve.jet_backward(c, p, w, *arguments, False)
        return jets.cpu(), gradient.cpu()

    pairs = zip(results(device), results("cpu"), strict=True)
    off = torch.stack([(found - expected).abs().max() / expected.abs().max() for found, expected in pairs])
    return float(off.nan_to_num(nan=torch.inf).max())


def _numbers(*shape: int) -> Tensor:
    """Numbers in [-1, 1] without a pattern; not drawn ones, which vmap refuses, nor on torch's default device: the
    question may come up anywhere."""
    return torch.arange(prod(shape), dtype=torch.float64, device="cpu").square().sin().reshape(shape)
