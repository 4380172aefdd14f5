// How a job on narrow networks is launched.
#include <cuda_runtime.h>

#include "kernels.h"
#include "narrow_kernels.h"

namespace physolve {
namespace {

int attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&value, which, device);
  return value;
}

// Null where there is none. Tensor cores know 11 bits from compute capability 8 on.
NarrowKernel kernel_for(const Plan& plan, const Job<float>& job) {
  if (attribute(cudaDevAttrComputeCapabilityMajor) < 8) return nullptr;
  switch (narrow_tiles(plan, job)) {
    case 4: return narrow_kernel<4>(plan);
    case 8: return narrow_kernel<8>(plan);
    default: return nullptr;
  }
}

// Two blocks a processor where that leaves them all their warps.
NarrowMemory memory_for(const Plan& plan, const Job<float>& job) {
  const int half = attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) / 2 -
                   attribute(cudaDevAttrReservedSharedMemoryPerBlock);
  const auto in = [&](int bytes) {
    return NarrowMemory(plan, narrow_tiles(plan, job), job.weight_sums != nullptr, bytes / int(sizeof(float)));
  };
  const NarrowMemory memory = in(half);
  const bool fits = memory.warps == NARROW_WARPS && memory.shared() * long(sizeof(float)) <= half;
  return fits ? memory : in(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin));
}

}  // namespace

bool narrow_launch_of(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Launch& launch) {
  const NarrowKernel kernel = kernel_for(plan, job);
  if (!kernel) return false;
  const NarrowMemory memory = memory_for(plan, job);
  const long shared = memory.shared() * long(sizeof(float));
  const int most_shared = attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin);
  if (shared > most_shared) return false;  // many layers
  // Always the most there is: a smaller value, set for a smaller network, could meet another thread's launch.
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most_shared);
  int resident = 0;
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, 32 * memory.warps, shared);
  const long tasks = batch.networks * device_chunks(batch.networks, batch.points, plan.weights);
  const long most = long(attribute(cudaDevAttrMultiProcessorCount)) * (resident > 0 ? resident : 1);
  launch.narrow = true;
  launch.shared_bytes = shared;
  launch.blocks = int(tasks < most ? tasks : most);
  launch.scratch_bytes = launch.blocks * memory.scratch() * long(sizeof(float));
  return true;
}

void narrow_launch(const Plan& plan, const Batch<float>& batch, const Job<float>& job, const Launch& launch,
                   void* scratch, void* stream) {
  const NarrowMemory memory = memory_for(plan, job);
  kernel_for(plan, job)<<<launch.blocks, 32 * memory.warps, launch.shared_bytes, static_cast<cudaStream_t>(stream)>>>(
      plan, batch, job, device_chunks(batch.networks, batch.points, plan.weights), memory, static_cast<float*>(scratch));
}

}  // namespace physolve
