// The device's way of sweeping a tile: a team of threads, one warp for every 32 channels, four numbers each. Also
// compiled for the host, where threads and barriers stand in for a block (tests/jets/device_machine.cpp): its arithmetic
// and its synchronisation are tested without a device.
#pragma once

#include "product.h"

namespace physolve {

// The skew lets weights be read along columns and along rows without bank conflicts, so that they are kept once.
constexpr Packing DEVICE_PACKING{Quad<float>::size, Quad<float>::size, false};

// `Barrier` is called where all threads of the team must have come.
template <class S, class Barrier>
struct TeamMachine {
  using Scalar = S;
  using Lane = Quad<S>;
  using Math = QuadMath<S>;
  static constexpr Packing packing = DEVICE_PACKING;

  int thread, threads;
  bool shared;  // whether weights and tiles are in shared memory
  Barrier barrier;

  // Steps through a table of rows and columns without a division at every item.
  template <class F>
  PHYSOLVE_HD void items(int rows, int columns, F f) const {
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
    items(points, width / Lane::size, [&](int t, int vector) { f(t, vector * Lane::size); });
  }

  template <class F>
  PHYSOLVE_HD void lines(int points, int count, F f) const {
    items(points / Lane::size, count, [&](int vector, int k) { f(vector * Lane::size, k); });
  }

  template <class F>
  PHYSOLVE_HD void numbers(int count, F f) const {
    for (int k = thread; k < count; k += threads) f(k);
  }

  template <class F>
  PHYSOLVE_HD void grid(int rows, int columns, F f) const {
    items(rows, columns, f);
  }

  template <class F>
  PHYSOLVE_HD void runs(int points, F f) const {
    f(0, points);
  }

  template <class Row, class F>
  PHYSOLVE_HD void outer(int first, int count, int in, int out, Row row, F f) const {
    const int vectors = (out + Lane::size - 1) / Lane::size;
    for (int t = first; t < first + count; ++t) {
      items(in, vectors, [&](int i, int vector) {
        const int n = vector * Lane::size;
        const Lane value = f(t, i, n);
        S* to = row(t, i) + n;
        PHYSOLVE_UNROLL
        for (int q = 0; q < Lane::size; ++q) {
          if (n + q < out) to[q] = value.v[q];
        }
      });
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
    int c = thread * Lane::size % width;
    for (int count = 0; count < width; count += Lane::size) {
      const Lane products = quad(a + c) * quad(b + c);
      PHYSOLVE_UNROLL
      for (int q = 0; q < Lane::size; ++q) total += products.v[q];
      c += Lane::size;
      if (c == width) c = 0;
    }
    return total;
  }

  PHYSOLVE_HD void products(int m, int n, int k, const Factors<S>& factors, Block<S> c, bool add) const {
    if (shared) {
      physolve::products<true>(thread, threads, m, n, k, factors, c, add);
    } else {
      physolve::products<false>(thread, threads, m, n, k, factors, c, add);
    }
  }

  PHYSOLVE_HD Lane load(const S* p) const { return quad(p); }
  PHYSOLVE_HD void store(S* p, Lane value) const { *reinterpret_cast<Lane*>(p) = value; }
  PHYSOLVE_HD void sync() const { barrier(); }
};

}  // namespace physolve
