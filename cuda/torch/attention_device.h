// What the bindings of attention need of the device, whether it was built in or not.
#pragma once

#include <ATen/core/Tensor.h>

#include "../core/attention.h"

namespace physolve {

// Runs the job on the device and the stream of `like`. Without CUDA built in it raises.
template <class S>
void attend_on_device(const AttentionBatch<S>& batch, const AttentionJob<S>& job, const at::Tensor& like);

}  // namespace physolve
