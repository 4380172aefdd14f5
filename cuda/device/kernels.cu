// Blocks that stay: each packs a network's weights into shared memory and works through tiles, which live in scratch
// memory that fits the L2 cache.
#include <type_traits>

#include "block.h"
#include "kernels.h"
#include "resident.h"

namespace physolve {
namespace {

constexpr int THREADS = 256;

template <class S>
__global__ void __launch_bounds__(THREADS, 2)
    work(const __grid_constant__ Plan plan, const __grid_constant__ Batch<S> batch,
         const __grid_constant__ Job<S> job, long chunks, bool weights_in_shared, S* scratch, long scratch_of_block) {
  extern __shared__ __align__(64) unsigned char shared[];
  S* own = scratch + blockIdx.x * scratch_of_block;
  S* tile = weights_in_shared ? own : own + weight_numbers<S>(plan);
  const BlockMachine<S, BlockBarrier> machine{int(threadIdx.x), int(blockDim.x), {}};
  run_block(plan, batch, job, chunks, int(blockIdx.x), int(gridDim.x), machine,
            weights_in_shared ? reinterpret_cast<S*>(shared) : own, tile);
}

template <class S>
long scratch_of_block(const Plan& plan, const Job<S>& job, bool weights_in_shared) {
  return tile_numbers<S>(plan, job.wanted()) + (weights_in_shared ? 0 : weight_numbers<S>(plan));
}

}  // namespace

template <class S>
Launch launch_of(const Plan& plan, const Batch<S>& batch, const Job<S>& job) {
  Launch how;
  how.chunks = device_chunks(batch.networks, batch.points, plan.weights);
  const long tasks = batch.networks * how.chunks;
  if constexpr (std::is_same_v<S, float>) how.narrow = narrow_way(plan, job);
  if (how.narrow) {
    how.shared_bytes = how.narrow->memory.shared() * long(sizeof(S));
    how.blocks = resident_blocks(how.narrow->kernel, how.narrow->memory.threads(), how.shared_bytes, tasks);
    how.scratch_bytes = how.blocks * how.narrow->memory.scratch() * long(sizeof(S));
    return how;
  }
  const long weights = weight_numbers<S>(plan) * long(sizeof(S));
  how.weights_in_shared = weights <= most_shared_bytes();
  how.shared_bytes = how.weights_in_shared ? weights : 0;
  how.blocks = resident_blocks(work<S>, THREADS, how.shared_bytes, tasks);
  how.scratch_bytes = how.blocks * scratch_of_block(plan, job, how.weights_in_shared) * long(sizeof(S));
  return how;
}

template <class S>
const char* launch(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Launch& how, void* scratch,
                   void* stream) {
  if (!how.narrow) {
    work<S><<<how.blocks, THREADS, how.shared_bytes, static_cast<cudaStream_t>(stream)>>>(
        plan, batch, job, how.chunks, how.weights_in_shared, static_cast<S*>(scratch),
        scratch_of_block(plan, job, how.weights_in_shared));
  } else if constexpr (std::is_same_v<S, float>) {
    how.narrow->kernel<<<how.blocks, how.narrow->memory.threads(), how.shared_bytes, static_cast<cudaStream_t>(stream)>>>(
        plan, batch, job, how.chunks, how.narrow->memory, static_cast<float*>(scratch));
  }
  const cudaError_t error = cudaGetLastError();  // of the queries above too
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

#define PHYSOLVE_INSTANCE(S)                                                                     \
  template Launch launch_of<S>(const Plan&, const Batch<S>&, const Job<S>&);                     \
  template const char* launch<S>(const Plan&, const Batch<S>&, const Job<S>&, const Launch&, void*, void*);

PHYSOLVE_INSTANCE(float)
PHYSOLVE_INSTANCE(double)

}  // namespace physolve
