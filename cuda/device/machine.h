// The device's way of sweeping a tile: a team of warps, one number a thread. Also compiled for the host, where threads
// and barriers stand in for a block (tests/jets/device_machine.cpp): its arithmetic and its synchronisation are tested
// without a device.
#pragma once

#include <cmath>

#include "product.h"

namespace physolve {

template <class S>
PHYSOLVE_CALL S called_sin(S v) {
  return ::sin(v);
}

template <class S>
PHYSOLVE_CALL S called_cos(S v) {
  return ::cos(v);
}

template <class S>
struct ScalarMath {
  static PHYSOLVE_HD S tanh(S v) { return ::tanh(v); }

  static PHYSOLVE_HD void sincos(S v, S& sine, S& cosine) {
    sine = called_sin(v);
    cosine = called_cos(v);
  }

  static PHYSOLVE_HD void normal(S v, S& distribution, S& density) {
    distribution = S(0.5) * ::erfc(-v * S(0.70710678118654752440));
    density = S(0.39894228040143267794) * ::exp(S(-0.5) * v * v);
  }
};

// Channels are padded for quads. The skew lets weights be read along columns and along rows without bank conflicts, so
// that they are kept once.
constexpr Packing DEVICE_PACKING{QUAD, QUAD, false};

// `Barrier` is called where all threads of the team must have come.
template <class S, class Barrier>
struct TeamMachine {
  using Scalar = S;
  using Lane = S;
  using Math = ScalarMath<S>;
  static constexpr Packing packing = DEVICE_PACKING;

  int thread, threads;
  bool shared;  // whether weights and tiles are in shared memory
  Barrier barrier;
  mutable Member member;

  PHYSOLVE_HD TeamMachine(int thread, int threads, int lanes, bool shared, Barrier barrier)
      : thread(thread),
        threads(threads),
        shared(shared),
        barrier(barrier),
        member{thread / lanes, thread % lanes, threads / lanes, lanes} {}

  // Steps through a table of rows and columns without a division at every item.
  template <class F>
  PHYSOLVE_HD void grid(int rows, int columns, F f) const {
    int i = thread / columns, j = thread % columns;
    const int down = threads / columns, across = threads % columns;
    while (i < rows) {
      f(i, j);
      i += down;
      j += across;
      if (j >= columns) {
        j -= columns;
        ++i;
      }
    }
  }

  template <class F>
  PHYSOLVE_HD void channels(int points, int width, F f) const {
    grid(points, width, f);
  }

  template <class F>
  PHYSOLVE_HD void lines(int points, int count, F f) const {
    grid(count, points, [&](int k, int t) { f(t, k); });
  }

  template <class F>
  PHYSOLVE_HD void numbers(int count, F f) const {
    for (int k = thread; k < count; k += threads) f(k);
  }

  template <class F>
  PHYSOLVE_HD void runs(int points, F f) const {
    f(0, points);
  }

  template <class Row, class F>
  PHYSOLVE_HD void outer(int first, int count, int in, int out, Row row, F f) const {
    for (int t = first; t < first + count; ++t) {
      grid(in, out, [&](int i, int n) { row(t, i)[n] = f(t, i, n); });
    }
  }

  PHYSOLVE_HD void fill(S* p, int count) const {
    for (int k = thread; k < count; k += threads) p[k] = S(0);
  }

  PHYSOLVE_HD void product(int m, int n, int k, Block<const S> a, Block<const S> b, Block<S> c, bool add) const {
    Factors<S> factors;
    factors.add(a, b);
    products(m, n, k, factors, c, add);
  }

  PHYSOLVE_HD void add_products(int m, int n, int k, const Factors<S>& factors, Block<S> c) const {
    products(m, n, k, factors, c, true);
  }

  // Threads begin at different places, in different banks.
  PHYSOLVE_HD S dot(const S* a, const S* b, int width) const {
    S total = 0;
    int c = thread * QUAD % width;
    for (int count = 0; count < width; count += QUAD) {
      const Quad<S> x = quad(a + c), y = quad(b + c);
      PHYSOLVE_UNROLL
      for (int q = 0; q < QUAD; ++q) total += x.v[q] * y.v[q];
      c += QUAD;
      if (c == width) c = 0;
    }
    return total;
  }

  PHYSOLVE_HD S load(const S* p) const { return *p; }
  PHYSOLVE_HD void store(S* p, S value) const { *p = value; }
  PHYSOLVE_HD void sync() const { barrier(); }

 private:
  PHYSOLVE_HD void products(int m, int n, int k, const Factors<S>& factors, Block<S> c, bool add) const {
    if (shared) {
      physolve::products<true>(member, m, n, k, factors, c, add);
    } else {
      physolve::products<false>(member, m, n, k, factors, c, add);
    }
  }
};

}  // namespace physolve
