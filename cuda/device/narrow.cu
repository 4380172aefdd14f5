// Which jobs go to the kernels of narrow networks, and with how much memory.
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
  const auto in = [&](int bytes) {
    return NarrowMemory(plan, narrow_tiles(plan, job), job.weight_sums != nullptr, bytes / long(sizeof(float)));
  };
  const int half = device_attribute(cudaDevAttrMaxSharedMemoryPerMultiprocessor) / 2 -
                   device_attribute(cudaDevAttrReservedSharedMemoryPerBlock);
  for (int bytes : {half, most_shared_bytes()}) {  // two blocks a processor where they fit
    if (in(bytes).shared() * long(sizeof(float)) <= bytes) return NarrowWay{kernel, in(bytes)};
  }
  return std::nullopt;  // many layers
}

}  // namespace physolve
