// The device's kernels on torch's stream.
#include "device.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "../device/kernels.h"

namespace physolve {

template <class S>
void run_on_device(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const at::Tensor& like) {
  const c10::cuda::CUDAGuard guard(like.device());
  const Launch how = launch_of(plan, batch, job);
  const at::Tensor scratch = at::empty({how.scratch_bytes}, like.options().dtype(at::kByte));
  const char* error = launch(plan, batch, job, how, scratch.data_ptr(), c10::cuda::getCurrentCUDAStream());
  TORCH_CHECK(!error, "jet kernels: ", error);
}

template void run_on_device<float>(const Plan&, const Batch<float>&, const Job<float>&, const at::Tensor&);
template void run_on_device<double>(const Plan&, const Batch<double>&, const Job<double>&, const at::Tensor&);

}  // namespace physolve
