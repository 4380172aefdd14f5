#include "kernels.h"

#include "vector.h"

namespace physolve {

int vector_bytes() { return PHYSOLVE_VECTOR_BYTES; }

}  // namespace physolve
