// Stands in for device.cpp where the kernels were built without CUDA.
#include "device.h"

namespace physolve {

template <class S>
void run_on_device(const Plan&, const Batch<S>&, const Job<S>&, const at::Tensor&) {
  TORCH_CHECK(false, "jet kernels: built without CUDA; move the tensors to the CPU, or install nvcc and build again");
}

template void run_on_device<float>(const Plan&, const Batch<float>&, const Job<float>&, const at::Tensor&);
template void run_on_device<double>(const Plan&, const Batch<double>&, const Job<double>&, const at::Tensor&);

}  // namespace physolve
