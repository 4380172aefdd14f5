// Sparse attention on the host, for float and double.
#pragma once

#include "../core/attention.h"
#include "parallel.h"

namespace physolve {

// Columns and heads that the host takes.
constexpr int MAX_ATTENTION_WIDTH = 512, MAX_HEADS = 32;

template <class S>
void attend_on_host(const AttentionBatch<S>& batch, const AttentionJob<S>& job, const Parallel& parallel);

}  // namespace physolve
