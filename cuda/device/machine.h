// The device's way of sweeping a tile: the threads of a block, one number each. Also compiled for the host, where
// threads and a barrier stand in for a block (tests/jets/device_machine.cpp): its arithmetic and its synchronisation
// are tested without a device.
#pragma once

#include <cmath>

#include "../core/sweep.h"

namespace physolve {

template <class S>
struct ScalarMath {
  static PHYSOLVE_HD S tanh(S v) { return ::tanh(v); }

  static PHYSOLVE_HD void sincos(S v, S& sine, S& cosine) {
#if defined(__CUDA_ARCH__)
    ::sincos(v, &sine, &cosine);
#else
    sine = ::sin(v);
    cosine = ::cos(v);
#endif
  }

  static PHYSOLVE_HD void normal(S v, S& distribution, S& density) {
    distribution = S(0.5) * ::erfc(-v * S(0.70710678118654752440));
    density = S(0.39894228040143267794) * ::exp(S(-0.5) * v * v);
  }
};

// `Barrier` is called where all threads must have come.
template <class S, class Barrier>
struct BlockMachine {
  using Scalar = S;
  using Lane = S;
  using Math = ScalarMath<S>;
  // More would take minutes to compile; narrow networks have them all (narrow.h).
  using Patterns = PatternList<Pattern<2, 11, 22>, Pattern<3, 11, 22, 33>, Pattern<0>, Pattern<2>, Pattern<3>>;
  static constexpr int lanes = 1;

  int thread, threads;
  Barrier barrier;

  template <class F>
  PHYSOLVE_HD void channels(int points, int width, F f) const {
    for (int k = thread; k < points * width; k += threads) f(k / width, k % width);
  }

  template <class F>
  PHYSOLVE_HD void lines(int points, int count, F f) const {
    for (int k = thread; k < points * count; k += threads) f(k % points, k / points);
  }

  template <class F>
  PHYSOLVE_HD void numbers(int count, F f) const {
    for (int k = thread; k < count; k += threads) f(k);
  }

  template <class F>
  PHYSOLVE_HD void grid(int rows, int columns, F f) const {
    for (int k = thread; k < rows * columns; k += threads) f(k / columns, k % columns);
  }

  template <class F>
  PHYSOLVE_HD void runs(int points, F f) const {
    f(0, points);
  }

  template <class Row, class F>
  PHYSOLVE_HD void outer(int first, int count, int in, int out, Row row, F f) const {
    for (int k = thread; k < count * in * out; k += threads) {
      const int n = k % out, i = k / out % in, t = first + k / out / in;
      row(t, i)[n] = f(t, i, n);
    }
  }

  PHYSOLVE_HD void fill(S* p, int count) const {
    for (int k = thread; k < count; k += threads) p[k] = S(0);
  }

  // Eight rows and four columns of C in registers of a thread; neighbouring threads take neighbouring columns and share
  // their rows of A, which are then one access for the warp.
  PHYSOLVE_HD void product(int m, int n, int k, Block<const S> a, Block<const S> b, Block<S> c, bool add) const {
    constexpr int ROWS = 8, COLUMNS = 4;
    const int across = (n + COLUMNS - 1) / COLUMNS, down = (m + ROWS - 1) / ROWS;
    for (int item = thread; item < across * down; item += threads) {
      const int row = item / across * ROWS, column = item % across;
      S sum[ROWS][COLUMNS] = {};
      const S *left[ROWS], *right[COLUMNS];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) left[i] = a.p + (row + i < m ? row + i : m - 1) * a.row;
      PHYSOLVE_UNROLL
      for (int j = 0; j < COLUMNS; ++j) right[j] = b.p + (column + j * across < n ? column + j * across : n - 1);
      for (int p = 0; p < k; ++p) {
        S x[COLUMNS];
        PHYSOLVE_UNROLL
        for (int j = 0; j < COLUMNS; ++j) x[j] = right[j][p * b.row];
        PHYSOLVE_UNROLL
        for (int i = 0; i < ROWS; ++i) {
          const S y = left[i][p * a.column];
          PHYSOLVE_UNROLL
          for (int j = 0; j < COLUMNS; ++j) sum[i][j] += y * x[j];
        }
      }
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) {
        PHYSOLVE_UNROLL
        for (int j = 0; j < COLUMNS; ++j) {
          if (row + i >= m || column + j * across >= n) continue;
          S& to = c.p[(row + i) * c.row + column + j * across];
          to = add ? to + sum[i][j] : sum[i][j];
        }
      }
    }
  }

  PHYSOLVE_HD S dot(const S* a, const S* b, int width) const {
    S total = 0;
    for (int c = 0; c < width; ++c) total += a[c] * b[c];
    return total;
  }

  PHYSOLVE_HD S load(const S* p) const { return *p; }
  PHYSOLVE_HD void store(S* p, S value) const { *p = value; }
  PHYSOLVE_HD void sync() const { barrier(); }
};

}  // namespace physolve
