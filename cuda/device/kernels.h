// The operations on the device, for float and double. No torch here: memory and stream come from the caller.
#pragma once

#include <optional>

#include "narrow_layout.h"

namespace physolve {

// How a job is launched on the current device, and the scratch memory it wants.
struct Launch {
  int blocks = 0;
  long shared_bytes = 0, scratch_bytes = 0;
  bool weights_in_shared = true;
  std::optional<NarrowMemory> narrow;  // where narrow.cu has a way for the job
};

template <class S>
Launch launch_of(const Plan& plan, const Batch<S>& batch, const Job<S>& job);

// Null, or what went wrong. `stream` is a cudaStream_t.
template <class S>
const char* launch(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Launch& launch, void* scratch,
                   void* stream);

// The same of narrow.cu, for what it has a way for: false where it has none.
bool narrow_launch_of(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Launch& launch);
void narrow_launch(const Plan& plan, const Batch<float>& batch, const Job<float>& job, const Launch& launch,
                   void* scratch, void* stream);

}  // namespace physolve
