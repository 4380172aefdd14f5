// The operations on the device, for float and double. No torch here: memory and stream come from the caller.
#pragma once

#include <optional>

#include "narrow_layout.h"

namespace physolve {

using NarrowKernel = void (*)(Plan, Batch<float>, Job<float>, long chunks, NarrowMemory, float* scratch);

// The kernel of a job on narrow networks, and the memory of its blocks.
struct NarrowWay {
  NarrowKernel kernel;
  NarrowMemory memory;
};

// How a job is launched on the current device, and the scratch memory it wants.
struct Launch {
  long chunks = 1;
  int blocks = 0;
  long shared_bytes = 0, scratch_bytes = 0;
  bool weights_in_shared = true;
  std::optional<NarrowWay> narrow;
};

template <class S>
Launch launch_of(const Plan& plan, const Batch<S>& batch, const Job<S>& job);

// Null, or what went wrong. `stream` is a cudaStream_t.
template <class S>
const char* launch(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Launch& how, void* scratch,
                   void* stream);

// On the current device; nothing where it has none.
std::optional<NarrowWay> narrow_way(const Plan& plan, const Job<float>& job);

}  // namespace physolve
