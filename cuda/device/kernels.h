// The operations on the device, for float and double. No torch here: memory and stream come from the caller.
#pragma once

#include "../core/jobs.h"

namespace physolve {

// How a job is launched on the current device, and the scratch memory it wants. `team` is the threads of a team.
struct Launch {
  int blocks = 0, teams = 1, team = 32;
  long shared_bytes = 0, scratch_bytes = 0;
  bool weights_in_shared = true, tiles_in_shared = true;
};

template <class S>
Launch launch_of(const Plan& plan, const Batch<S>& batch, const Job<S>& job);

// Null, or what went wrong. `stream` is a cudaStream_t.
template <class S>
const char* launch(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Launch& launch, void* scratch,
                   void* stream);

}  // namespace physolve
