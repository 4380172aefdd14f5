#include "kernels.h"

#include <algorithm>

#include "vector.h"

namespace physolve {

long chunks_of(long networks, long points) {
  constexpr long wanted = 64, shortest = 480;
  const long most = std::max(1L, (points + shortest - 1) / shortest);
  return std::clamp((wanted + networks - 1) / std::max(1L, networks), 1L, most);
}

int vector_bytes() { return PHYSOLVE_VECTOR_BYTES; }

}  // namespace physolve
