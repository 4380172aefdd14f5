// The device's vectors for attention: a group of threads with one number each. Also compiled for the host, where threads
// that meet at a barrier stand in for the group (tests/mesh/device_attention.cpp).
#pragma once

#include <cmath>

#include "../core/attention.h"

namespace physolve {

// `Exchange` gives a thread the number of the group's thread `lane ^ bits`.
template <class S, int lanes_, class Exchange>
struct GroupLanes {
  using Scalar = S;
  using Lane = S;
  static constexpr int lanes = lanes_;

  int lane;
  Exchange exchange;

  PHYSOLVE_HD S load(const S* p) const { return p[lane]; }
  PHYSOLVE_HD void store(S* p, S value) const { p[lane] = value; }
  PHYSOLVE_HD S spread(const S* p, int heads) const { return p[lane & (heads - 1)]; }
  PHYSOLVE_HD S spread_padded(const S* p, int heads) const { return spread(p, heads); }
  PHYSOLVE_HD S exp(S v) const { return ::exp(v); }
  PHYSOLVE_HD S larger(S a, S b) const { return a < b ? b : a; }
  PHYSOLVE_HD void fetch(const S*, int) const {}

  PHYSOLVE_HD void keep(S* p, S value, int count) const {
    if (lane < count) p[lane] = value;
  }

  PHYSOLVE_HD S fold(S v, int heads) const {
    for (int half = lanes / 2; half >= heads; half /= 2) v += exchange(v, half);
    return v;
  }
};

}  // namespace physolve
