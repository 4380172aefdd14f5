// Four consecutive numbers that a thread reads, computes with and writes at once.
#pragma once

#include <cmath>

#include "../core/qualifiers.h"

namespace physolve {

template <class S>
struct alignas(16) Quad {
  static constexpr int size = 4;
  S v[size];

  PHYSOLVE_HD S operator[](int i) const { return v[i]; }

  template <class F>
  static PHYSOLVE_HD Quad of(F f) {
    Quad to;
    PHYSOLVE_UNROLL
    for (int i = 0; i < size; ++i) to.v[i] = f(i);
    return to;
  }

  friend PHYSOLVE_HD Quad operator-(Quad a) {
    return of([&](int i) { return -a.v[i]; });
  }
  friend PHYSOLVE_HD Quad operator+(Quad a, Quad b) {
    return of([&](int i) { return a.v[i] + b.v[i]; });
  }
  friend PHYSOLVE_HD Quad operator-(Quad a, Quad b) {
    return of([&](int i) { return a.v[i] - b.v[i]; });
  }
  friend PHYSOLVE_HD Quad operator*(Quad a, Quad b) {
    return of([&](int i) { return a.v[i] * b.v[i]; });
  }
  friend PHYSOLVE_HD Quad operator+(Quad a, S b) {
    return of([&](int i) { return a.v[i] + b; });
  }
  friend PHYSOLVE_HD Quad operator-(Quad a, S b) {
    return of([&](int i) { return a.v[i] - b; });
  }
  friend PHYSOLVE_HD Quad operator-(S a, Quad b) {
    return of([&](int i) { return a - b.v[i]; });
  }
  friend PHYSOLVE_HD Quad operator*(Quad a, S b) {
    return of([&](int i) { return a.v[i] * b; });
  }
  friend PHYSOLVE_HD Quad operator*(S a, Quad b) { return b * a; }
  PHYSOLVE_HD Quad& operator+=(Quad b) { return *this = *this + b; }
  PHYSOLVE_HD Quad& operator-=(Quad b) { return *this = *this - b; }
};

// Calls: four copies of each at every place would be most of the code.
template <class S>
PHYSOLVE_CALL S called_sin(S v) {
  return ::sin(v);
}

template <class S>
PHYSOLVE_CALL S called_cos(S v) {
  return ::cos(v);
}

template <class S>
PHYSOLVE_CALL S called_erfc(S v) {
  return ::erfc(v);
}

template <class S>
struct QuadMath {
  using Q = Quad<S>;

  static PHYSOLVE_HD Q tanh(Q v) {
    return Q::of([&](int i) { return ::tanh(v.v[i]); });
  }

  static PHYSOLVE_HD void sincos(Q v, Q& sine, Q& cosine) {
    sine = Q::of([&](int i) { return called_sin(v.v[i]); });
    cosine = Q::of([&](int i) { return called_cos(v.v[i]); });
  }

  static PHYSOLVE_HD void normal(Q v, Q& distribution, Q& density) {
    distribution = Q::of([&](int i) { return S(0.5) * called_erfc(-v.v[i] * S(0.70710678118654752440)); });
    density = Q::of([&](int i) { return S(0.39894228040143267794) * ::exp(S(-0.5) * v.v[i] * v.v[i]); });
  }
};

}  // namespace physolve
