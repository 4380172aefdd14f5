// The device's attention on torch's stream.
#include "attention_device.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "../device/attention.h"

namespace physolve {

template <class S>
void attend_on_device(const AttentionBatch<S>& batch, const AttentionJob<S>& job, const at::Tensor& like) {
  const c10::cuda::CUDAGuard guard(like.device());
  const char* error = attend_on_stream(batch, job, c10::cuda::getCurrentCUDAStream());
  TORCH_CHECK(!error, "attention kernels: ", error);
}

template void attend_on_device<float>(const AttentionBatch<float>&, const AttentionJob<float>&, const at::Tensor&);
template void attend_on_device<double>(const AttentionBatch<double>&, const AttentionJob<double>&, const at::Tensor&);

}  // namespace physolve
