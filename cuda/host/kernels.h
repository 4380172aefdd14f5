// The operations on the host, for float and double.
#pragma once

#include "../core/jobs.h"
#include "parallel.h"

namespace physolve {

template <class S>
void run_on_host(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Parallel& parallel);

// Bytes of vectors in use: 64 with AVX-512, 32 with AVX, else 16.
int vector_bytes();

}  // namespace physolve
