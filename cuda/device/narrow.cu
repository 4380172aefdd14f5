// How a job on narrow networks is launched.
#include "kernels.h"
#include "narrow_kernels.h"
#include "resident.h"

namespace physolve {
namespace {

// Null where there is none.
NarrowKernel kernel_for(const Plan& plan, const Job<float>& job) {
  switch (narrow_tiles(plan, job)) {
    case 4: return narrow_kernel<4>(plan);
    case 8: return narrow_kernel<8>(plan);
    default: return nullptr;
  }
}

// Two blocks a processor where that leaves them all their warps.
NarrowMemory memory_for(const Plan& plan, const Job<float>& job) {
  const int half = device_attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) / 2 -
                   device_attribute(cudaDevAttrReservedSharedMemoryPerBlock);
  const auto in = [&](int bytes) {
    return NarrowMemory(plan, narrow_tiles(plan, job), job.weight_sums != nullptr, bytes / int(sizeof(float)));
  };
  const NarrowMemory memory = in(half);
  const bool fits = memory.warps == NARROW_WARPS && memory.shared() * long(sizeof(float)) <= half;
  return fits ? memory : in(most_shared_bytes());
}

}  // namespace

bool narrow_launch_of(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Launch& launch) {
  const NarrowKernel kernel = kernel_for(plan, job);
  if (!kernel || device_attribute(cudaDevAttrComputeCapabilityMajor) < 8) return false;  // before it no tf32
  const NarrowMemory memory = memory_for(plan, job);
  const long shared = memory.shared() * long(sizeof(float));
  if (shared > most_shared_bytes()) return false;  // many layers
  const long tasks = batch.networks * device_chunks(batch.networks, batch.points, plan.weights);
  launch.narrow = memory;
  launch.shared_bytes = shared;
  launch.blocks = resident_blocks(kernel, 32 * memory.warps, shared, tasks);
  launch.scratch_bytes = launch.blocks * memory.scratch() * long(sizeof(float));
  return true;
}

void narrow_launch(const Plan& plan, const Batch<float>& batch, const Job<float>& job, const Launch& launch,
                   void* scratch, void* stream) {
  const int threads = 32 * launch.narrow->warps;
  kernel_for(plan, job)<<<launch.blocks, threads, launch.shared_bytes, static_cast<cudaStream_t>(stream)>>>(
      plan, batch, job, device_chunks(batch.networks, batch.points, plan.weights), *launch.narrow,
      static_cast<float*>(scratch));
}

}  // namespace physolve
