"""The library of the attention kernels."""

import torch

from physolve._kernels import KernelLibrary

from ._attention_rules import register

ATTENTION = KernelLibrary(
    title="attention",
    name="physolve_attention",
    host=("torch/attention.cpp", "host/attention_f32.cpp", "host/attention_f64.cpp"),
    device=("torch/attention_device.cpp", "device/attention.cu"),
    no_device=("torch/attention_no_device.cpp",),
    register=register,
    vector_bytes=lambda: torch.ops.physolve.attention_vector_bytes(),
)
