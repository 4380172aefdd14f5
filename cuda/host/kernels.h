// The operations on the host, for float and double.
#pragma once

#include <functional>

#include "../core/jobs.h"

namespace physolve {

// Covers [0, count) with calls range(begin, end), on as many threads as the caller likes.
using Parallel = std::function<void(long count, const std::function<void(long, long)>& range)>;

template <class S>
void run_on_host(const Plan& plan, const Batch<S>& batch, const Job<S>& job, const Parallel& parallel);

// Bytes of vectors in use: 64 with AVX-512, 32 with AVX, else 16.
int vector_bytes();

}  // namespace physolve
