// Sparse attention on the device, for float and double. No torch here: memory and stream come from the caller.
#pragma once

#include "../core/attention.h"

namespace physolve {

constexpr int MAX_DEVICE_COLUMNS = 16;  // of one thread

// Threads that share a row, a warp or a quarter of one; 0 where the device has no way.
PHYSOLVE_HD int group_of(int width, int heads) {
  const int group = width % 32 ? 8 : 32;
  const bool fits = width % group == 0 && is_power_of_two(heads) && heads <= group;
  return fits && width / group <= MAX_DEVICE_COLUMNS ? group : 0;
}

// Null, or what went wrong. `stream` is a cudaStream_t; statistics are (batch, rows, 3, heads) without more.
template <class S>
const char* attend_on_stream(const AttentionBatch<S>& batch, const AttentionJob<S>& job, void* stream);

}  // namespace physolve
