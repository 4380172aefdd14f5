// Blocks that stay. A block's teams work in shared memory where a tile of each fits, the network's weights too if they
// do; what does not fit is scratch memory in the L2 cache, where gradient sums always are.
#include <cuda_runtime.h>

#include "block.h"
#include "kernels.h"

namespace physolve {
namespace {

constexpr int WARP = 32, THREADS = 256;

struct TeamBarrier {
  int team, threads;
  PHYSOLVE_HD void operator()() const {
#if defined(__CUDA_ARCH__)
    if (threads == WARP) {
      __syncwarp();
    } else {
      asm volatile("bar.sync %0, %1;" ::"r"(team + 1), "r"(threads) : "memory");  // 0 is the block's
    }
#endif
  }
};

struct BlockBarrier {
  PHYSOLVE_HD void operator()() const {
#if defined(__CUDA_ARCH__)
    __syncthreads();
#endif
  }
};

template <class S>
__global__ void __launch_bounds__(THREADS, 1)
    work(const __grid_constant__ Plan plan, const __grid_constant__ Batch<S> batch,
         const __grid_constant__ Job<S> job, long chunks, const __grid_constant__ Launch how, S* scratch) {
  extern __shared__ __align__(64) unsigned char shared_bytes[];
  S* shared = reinterpret_cast<S*>(shared_bytes);
  scratch += blockIdx.x * (how.scratch_bytes / how.blocks / long(sizeof(S)));
  const Needs needs = needs_of(plan, job);
  const int team = int(threadIdx.x) / how.team, thread = int(threadIdx.x) % how.team;
  const auto take = [&](bool in_shared, long count) {
    S*& from = in_shared ? shared : scratch;
    S* taken = from;
    from += count;
    return taken;
  };
  Places<S> places{nullptr, nullptr, nullptr, needs};
  places.weights = take(how.weights_in_shared, needs.weights);
  places.sums = take(false, how.teams * needs.sum);
  places.tiles = take(how.tiles_in_shared, how.teams * needs.tile);
  run_block(plan, batch, job, chunks, int(blockIdx.x), int(gridDim.x), team, how.teams,
            TeamMachine<S, TeamBarrier>{thread, how.team, {team, how.team}},
            TeamMachine<S, BlockBarrier>{int(threadIdx.x), int(blockDim.x), {}}, places);
}

// A warp for every 32 channels of the widest layer.
int team_of(const Plan& plan) {
  int widest = 1;
  for (int l = 0; l < plan.last(); ++l) widest = plan.layer[l].out > widest ? plan.layer[l].out : widest;
  return (widest + WARP - 1) / WARP * WARP;
}

int most(int a, int b) { return a < b ? a : b; }

// As many teams as shared memory has tiles for, with the weights beside them unless that halves their number.
void share_out(Launch& how, const Needs& needs, long size, long most_shared, int most_teams) {
  const long with_weights = (most_shared / size - needs.weights) / needs.tile;
  const int beside = with_weights > 0 ? most(most_teams, int(with_weights)) : 0;
  const int alone = most(most_teams, int(most_shared / size / needs.tile));
  how.weights_in_shared = beside > 0 && 2 * beside > alone;
  how.tiles_in_shared = alone > 0;
  how.teams = how.weights_in_shared ? beside : alone > 0 ? alone : most_teams;
}

}  // namespace

template <class S>
Launch launch_of(const Plan& plan, const Batch<S>& batch, const Job<S>& job) {
  Launch how;
  int device = 0, processors = 1, most_shared = 0, resident = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device);
  cudaDeviceGetAttribute(&most_shared, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  // Always the most there is: a smaller value, set for a smaller network, could meet another thread's launch.
  cudaFuncSetAttribute(work<S>, cudaFuncAttributeMaxDynamicSharedMemorySize, most_shared);
  const Needs needs = needs_of(plan, job);
  how.team = team_of(plan);
  share_out(how, needs, sizeof(S), most_shared, THREADS / how.team);
  const long weights = how.weights_in_shared ? needs.weights : 0, tiles = how.tiles_in_shared ? how.teams * needs.tile : 0;
  how.shared_bytes = (weights + tiles) * long(sizeof(S));
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, work<S>, how.teams * how.team, how.shared_bytes);
  const long tasks = batch.networks * device_chunks(batch.networks, batch.points, plan.weights);
  const long at_once = long(processors) * (resident > 0 ? resident : 1);
  how.blocks = int(tasks < at_once ? tasks : at_once);
  const long all = needs.weights + how.teams * (needs.sum + needs.tile);
  how.scratch_bytes = how.blocks * (all - weights - tiles) * long(sizeof(S));
  return how;
}

template <class S>
const char* launch(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Launch& how, void* scratch,
                   void* stream) {
  work<S><<<how.blocks, how.teams * how.team, how.shared_bytes, static_cast<cudaStream_t>(stream)>>>(
      plan, batch, job, device_chunks(batch.networks, batch.points, plan.weights), how, static_cast<S*>(scratch));
  const cudaError_t error = cudaGetLastError();  // of the queries above too
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

#define PHYSOLVE_INSTANCE(S)                                                                     \
  template Launch launch_of<S>(const Plan&, const Batch<S>&, const Job<S>&);                     \
  template const char* launch<S>(const Plan&, const Batch<S>&, const Job<S>&, const Launch&, void*, void*);

PHYSOLVE_INSTANCE(float)
PHYSOLVE_INSTANCE(double)

}  // namespace physolve
