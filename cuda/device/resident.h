// What the kernels' launches share: blocks that stay, as many as the device holds at once.
#pragma once

#include <cuda_runtime.h>

#include "../core/qualifiers.h"

namespace physolve {

struct BlockBarrier {
  PHYSOLVE_HD void operator()() const {
#if defined(__CUDA_ARCH__)
    __syncthreads();
#endif
  }
};

// Of the current device.
inline int device_attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&value, which, device);
  return value;
}

inline int most_shared_bytes() { return device_attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin); }

// How many blocks for so many tasks.
template <class Kernel>
int resident_blocks(Kernel* kernel, int threads, long shared_bytes, long tasks) {
  // Always the most there is: a smaller value, set for a smaller network, could meet another thread's launch.
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, most_shared_bytes());
  int resident = 0;
  cudaOccupancyMaxActiveBlocksPerMultiprocessor(&resident, kernel, threads, shared_bytes);
  const long most = long(device_attribute(cudaDevAttrMultiProcessorCount)) * (resident > 0 ? resident : 1);
  return int(tasks < most ? tasks : most);
}

}  // namespace physolve
