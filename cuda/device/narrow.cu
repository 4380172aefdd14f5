// Which jobs go to the kernels of narrow networks, and with how much memory.
#include "narrow_kernels.h"
#include "resident.h"

namespace physolve {
namespace {

// Null where there is none.
NarrowKernel kernel_for(const Plan& plan, const Job<float>& job) {
  switch (narrow_tiles(plan, job)) {
    case 4: return narrow_kernel<4>(plan, job.weight_sums);
    case 8: return narrow_kernel<8>(plan, job.weight_sums);
    default: return nullptr;
  }
}

// Its products are left out of code for older devices, which a newer one runs too.
bool knows_tf32(NarrowKernel kernel) {
  cudaFuncAttributes of{};
  cudaFuncGetAttributes(&of, kernel);
  return of.ptxVersion >= 80;
}

}  // namespace

std::optional<NarrowWay> narrow_way(const Plan& plan, const Job<float>& job) {
  const NarrowKernel kernel = kernel_for(plan, job);
  if (!kernel || !knows_tf32(kernel)) return std::nullopt;
  const bool back = job.weight_sums != nullptr;
  const int tiles = narrow_tiles(plan, job);
  const long room = most_shared_bytes() / long(sizeof(float));
  const auto way = [&](int warps, bool near) -> std::optional<NarrowWay> {
    const NarrowMemory memory(plan, tiles, back, warps, near, room);
    if (memory.shared() > room) return std::nullopt;
    return NarrowWay{kernel, memory};
  };
  const int most = most_warps(tiles, back);
  for (bool near : {true, false}) {
    for (int warps = most; warps >= (near ? 4 : 2); --warps) {
      if (const auto found = way(warps, near)) return found;
    }
  }
  return std::nullopt;  // many layers; a warp alone has no turns: it may not meet itself at a barrier
}

}  // namespace physolve
