// The kernels of narrow networks: a block that stays on every processor, with a network's weights in shared memory.
#pragma once

#include "kernels.h"
#include "narrow.h"

namespace physolve {

// Forward or back for the plan's layout, null where its pattern is not known: 4 tiles in narrow_32.cu, 8 in
// narrow_64.cu, to be compiled side by side.
template <int tiles>
NarrowKernel narrow_kernel(const Plan& plan, bool back);

}  // namespace physolve
