// The gradient of jet_forward. In C++, because for small networks Python's way to it takes longer than the kernels. Under
// torch.func torch takes none but Python's (physolve/jets/_rules.py), and this one raises.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace physolve {

// What the operations take after their tensors: a network and its rows.
using ShapeValues = std::vector<c10::IValue>;

inline c10::OperatorHandle operation(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
}

class JetGradient : public torch::autograd::Function<JetGradient> {
 public:
  using Context = torch::autograd::AutogradContext;

  static at::Tensor forward(Context* context, const at::Tensor& points, const at::Tensor& weights,
                            const ShapeValues& shape) {
    context->save_for_backward({points, weights});
    context->saved_data["shape"] = c10::ivalue::Tuple::create(shape);
    torch::jit::Stack stack{points, weights};
    stack.insert(stack.end(), shape.begin(), shape.end());
    const at::AutoDispatchBelowAutograd below;
    static const auto jet_forward = operation("physolve::jet_forward");
    jet_forward.callBoxed(&stack);
    return stack[0].toTensor();
  }

  static torch::autograd::variable_list backward(Context* context, const torch::autograd::variable_list& cotangents) {
    const auto saved = context->get_saved_variables();
    const auto& shape = context->saved_data["shape"].toTupleRef().elements();
    const bool to_points = context->needs_input_grad(0);
    torch::jit::Stack stack{cotangents[0], saved[0], saved[1]};
    stack.insert(stack.end(), shape.begin(), shape.end());
    stack.emplace_back(to_points);
    // Where a graph of the gradient is wanted, the gradient's own rule has to say that there is none.
    std::optional<at::AutoDispatchBelowAutograd> below;
    if (!at::GradMode::is_enabled()) below.emplace();
    static const auto jet_backward = operation("physolve::jet_backward");
    jet_backward.callBoxed(&stack);
    return {to_points ? stack[1].toTensor() : at::Tensor(), stack[0].toTensor(), at::Tensor()};
  }
};

// jet_forward for the key Autograd.
inline void with_gradient(const c10::OperatorHandle& jet_forward, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  const size_t count = jet_forward.schema().arguments().size();
  const auto first = stack->end() - std::ptrdiff_t(count);
  const at::Tensor points = first[0].toTensor(), weights = first[1].toTensor();
  if (!at::GradMode::is_enabled() || !(points.requires_grad() || weights.requires_grad())) {
    return jet_forward.redispatchBoxed(keys & c10::after_autograd_keyset, stack);
  }
  const ShapeValues shape(first + 2, stack->end());
  torch::jit::drop(*stack, count);
  stack->emplace_back(JetGradient::apply(points, weights, shape));
}

}  // namespace physolve
