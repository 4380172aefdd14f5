// How the caller lends its threads.
#pragma once

#include <functional>

namespace physolve {

// Covers [0, count) with calls range(begin, end), on as many threads as the caller likes.
using Parallel = std::function<void(long count, const std::function<void(long, long)>& range)>;

}  // namespace physolve
