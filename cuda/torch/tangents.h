// The kernels have no forward mode: without this check torch would drop the tangent, which is then a wrong zero. It is
// made on torch's way from autograd to the kernels (the key ADInplaceOrView), because torch.func and torch.compile take
// the wrappers that hold tangents off further down, before CPU and CUDA.
#pragma once

#include <ATen/ATen.h>
#include <torch/library.h>

namespace physolve {

// `Advice::text` says what to do instead.
template <class Advice>
void refuse_tangents(const c10::OperatorHandle& operation, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  for (const auto& argument : torch::jit::last(*stack, operation.schema().arguments().size())) {
    TORCH_CHECK_NOT_IMPLEMENTED(!argument.isTensor() || !argument.toTensor()._fw_grad(0).defined(), Advice::text);
  }
  operation.redispatchBoxed(keys & c10::after_ADInplaceOrView_keyset, stack);
}

}  // namespace physolve
