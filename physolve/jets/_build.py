"""The library of the jet kernels."""

import torch

from physolve._kernels import KernelLibrary, Kernels

from ._rules import register

JETS = KernelLibrary(
    title="jet",
    name="physolve_kernels",
    host=("torch/bindings.cpp", "host/kernels.cpp", "host/f32.cpp", "host/f64.cpp"),
    device=(
        *("torch/device.cpp", "device/kernels.cu"),
        *("device/narrow.cu", "device/narrow_32.cu", "device/narrow_64.cu"),
    ),
    no_device=("torch/no_device.cpp",),
    register=register,
    vector_bytes=lambda: torch.ops.physolve.vector_bytes(),
)


def kernels() -> Kernels:
    """The active path of the jets, building the kernels if that has not been done; raises as `KernelLibrary.active`."""
    return JETS.active()
