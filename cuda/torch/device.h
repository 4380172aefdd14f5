// What the bindings need of the device, whether it was built in or not.
#pragma once

#include <ATen/ATen.h>

#include "../core/jobs.h"

namespace physolve {

// Runs the job on the device and the stream of `like`. Without CUDA built in it raises.
template <class S>
void run_on_device(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const at::Tensor& like);

}  // namespace physolve
