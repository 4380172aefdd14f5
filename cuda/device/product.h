// Products of blocks by a team of threads: a thread has one column of the result and some of its rows in registers.
//
// Rows of A are read four numbers at a time and by all threads alike, which is one access for a warp. Where such numbers
// reach beyond k or m, they are the padding of jets and weights, which is zero.
#pragma once

#include <type_traits>

#include "../core/sweep.h"
#include "quad.h"

namespace physolve {

// In which direction four numbers lie together.
enum class Along { depth, rows, neither };

template <class S>
PHYSOLVE_HD Along along(const Block<const S>& a) {
  if (a.column == 1 && a.row % Quad<S>::size == 0) return Along::depth;
  if (a.row == 1 && a.column % Quad<S>::size == 0) return Along::rows;
  return Along::neither;
}

template <class S>
PHYSOLVE_HD const Quad<S>& quad(const S* p) {
  return *reinterpret_cast<const Quad<S>*>(p);
}

// The same pointer; where SHARED the compiler may know that it points into shared memory.
template <bool SHARED, class S>
PHYSOLVE_HD const S* placed(const S* p) {
#if defined(__CUDA_ARCH__)
  if constexpr (SHARED) __builtin_assume(__isShared(p));
#endif
  return p;
}

// sum[i] += sum over p of A[i, p] B[p, column] for ROWS rows from `row` on; rows beyond m repeat the last one.
template <bool SHARED, int ROWS, Along A, bool B_ACROSS, class S>
PHYSOLVE_HD void accumulate(int m, int k, const Block<const S>& a, const Block<const S>& b, int row, int column,
                            S (&sum)[ROWS]) {
  constexpr int SIZE = Quad<S>::size;
  const S* right = placed<SHARED>(b.p) + column * b.column;  // b.column is 1 where B is read across its rows
  if constexpr (A == Along::depth) {
    const S* left[ROWS];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; ++i) left[i] = placed<SHARED>(a.p) + (row + i < m ? row + i : m - 1) * a.row;
    for (int p = 0; p < k; p += SIZE) {
      Quad<S> x;
      if constexpr (B_ACROSS) {
        x = Quad<S>::of([&](int q) { return right[(p + q) * b.row]; });
      } else {
        x = quad(right + p);
      }
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) {
        const Quad<S> y = quad(left[i] + p);
        PHYSOLVE_UNROLL
        for (int q = 0; q < SIZE; ++q) sum[i] += y.v[q] * x.v[q];
      }
    }
  } else if constexpr (A == Along::rows) {
    const int last = (m - 1) / SIZE * SIZE;
    const S* left[ROWS / SIZE];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; i += SIZE) left[i / SIZE] = placed<SHARED>(a.p) + (row + i < last ? row + i : last);
    PHYSOLVE_UNROLL
    for (int p = 0; p < k; ++p) {
      const S x = right[p * b.row];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; i += SIZE) {
        const Quad<S> y = quad(left[i / SIZE] + p * a.column);
        PHYSOLVE_UNROLL
        for (int q = 0; q < SIZE; ++q) sum[i + q] += y.v[q] * x;
      }
    }
  } else {
    const S* left = placed<SHARED>(a.p);
    for (int p = 0; p < k; ++p) {
      const S x = right[p * b.row];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) sum[i] += left[(row + i < m ? row + i : m - 1) * a.row + p * a.column] * x;
    }
  }
}

template <bool SHARED, int ROWS, class S>
PHYSOLVE_HD void accumulate(int m, int k, const Block<const S>& a, const Block<const S>& b, int row, int column,
                            S (&sum)[ROWS]) {
  switch (along(a)) {
    case Along::depth:
      if (b.column == 1) return accumulate<SHARED, ROWS, Along::depth, true>(m, k, a, b, row, column, sum);
      return accumulate<SHARED, ROWS, Along::depth, false>(m, k, a, b, row, column, sum);
    case Along::rows: return accumulate<SHARED, ROWS, Along::rows, true>(m, k, a, b, row, column, sum);
    case Along::neither: return accumulate<SHARED, ROWS, Along::neither, true>(m, k, a, b, row, column, sum);
  }
}

// ROWS rows of C from `row` on, for the columns of this thread. What C holds is asked for before the work begins, so
// that it has come when the work is done.
template <bool SHARED, int ROWS, class S>
PHYSOLVE_HD void product_rows(int thread, int threads, int m, int n, int k, const Factors<S>& factors,
                              const Block<S>& c, bool add, int row) {
  for (int column = thread; column < n; column += threads) {
    S sum[ROWS] = {}, before[ROWS] = {};
    S* to = c.p + row * c.row + column;
    if (add) {
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) before[i] = row + i < m ? to[i * c.row] : S(0);
    }
    for (int f = 0; f < factors.count; ++f) {
      accumulate<SHARED>(m, k, factors.left[f], factors.right[f], row, column, sum);
    }
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; ++i) {
      if (row + i < m) to[i * c.row] = before[i] + sum[i];
    }
  }
}

// C = or += the sum of products. Twenty rows are the jet of a tile with two coordinates and a Laplacian.
template <bool SHARED, class S>
PHYSOLVE_CALL void products(int thread, int threads, int m, int n, int k, const Factors<S>& factors,
                            const Block<S>& c, bool add) {
  for (int row = 0; row < m;) {
    const int left = m - row;
    const auto rows = [&](auto count) {
      product_rows<SHARED, decltype(count)::value>(thread, threads, m, n, k, factors, c, add, row);
      row += decltype(count)::value;
    };
    if (left >= 20 && left % 16) {
      rows(std::integral_constant<int, 20>{});
    } else if (left >= 16) {
      rows(std::integral_constant<int, 16>{});
    } else if (left > 4) {
      rows(std::integral_constant<int, 8>{});
    } else {
      rows(std::integral_constant<int, 4>{});
    }
  }
}

}  // namespace physolve
