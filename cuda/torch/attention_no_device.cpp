// Stands in for attention_device.cpp where the kernels were built without CUDA.
#include "attention_device.h"

namespace physolve {

template <class S>
void attend_on_device(const AttentionBatch<S>&, const AttentionJob<S>&, const at::Tensor&) {
  TORCH_CHECK(false,
              "attention kernels: built without CUDA; move the tensors to the CPU, or install nvcc and build again");
}

template void attend_on_device<float>(const AttentionBatch<float>&, const AttentionJob<float>&, const at::Tensor&);
template void attend_on_device<double>(const AttentionBatch<double>&, const AttentionJob<double>&, const at::Tensor&);

}  // namespace physolve
