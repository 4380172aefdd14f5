// Products of blocks by a team of threads: a thread has one column of the result and some of its rows in registers.
//
// Rows of A are read four numbers at a time and by all threads of a warp alike, which is one access. Where such numbers
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

// How A and B are read: where their numbers lie together and, where they are known when this is compiled (else 0), the
// strides across. Known strides are offsets in the instructions that read.
template <bool IN_SHARED, Along ALONG, bool ACROSS, int A_STRIDE = 0, int B_STRIDE = 0>
struct Reading {
  static constexpr bool shared = IN_SHARED, across = ACROSS;
  static constexpr Along along = ALONG;

  template <class S>
  static PHYSOLVE_HD int a_stride(const Block<const S>& a) {
    return A_STRIDE ? A_STRIDE : ALONG == Along::rows ? a.column : a.row;
  }

  template <class S>
  static PHYSOLVE_HD int b_stride(const Block<const S>& b) {
    return B_STRIDE ? B_STRIDE : ACROSS ? b.row : b.column;
  }
};

// sum[i] += sum over p of A[i, p] B[p, column] for ROWS rows from `row` on; rows beyond m repeat the last one.
template <class Read, int ROWS, class S>
PHYSOLVE_HD void accumulate(Read, int m, int k, const Block<const S>& a, const Block<const S>& b, int row, int column,
                            S (&sum)[ROWS]) {
  constexpr int SIZE = Quad<S>::size;
  const int down = Read::a_stride(a), step = Read::b_stride(b);
  const S *left = placed<Read::shared>(a.p), *right = placed<Read::shared>(b.p) + column * (Read::across ? 1 : step);
  const bool whole = row + ROWS <= m;
  if constexpr (Read::along == Along::depth) {
    int place[ROWS];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; ++i) place[i] = (whole ? i : row + i < m ? i : m - 1 - row) * down;
    left += row * down;
    PHYSOLVE_UNROLL_TWICE
    for (int p = 0; p < k; p += SIZE) {
      Quad<S> x;
      if constexpr (Read::across) {
        x = Quad<S>::of([&](int q) { return right[(p + q) * step]; });
      } else {
        x = quad(right + p);
      }
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) {
        const Quad<S> y = quad(left + place[i] + p);
        PHYSOLVE_UNROLL
        for (int q = 0; q < SIZE; ++q) sum[i] += y.v[q] * x.v[q];
      }
    }
  } else if constexpr (Read::along == Along::rows) {
    const int last = (m - 1) / SIZE * SIZE;
    int place[ROWS / SIZE];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; i += SIZE) place[i / SIZE] = row + i < last ? row + i : last;
    PHYSOLVE_UNROLL_TWICE
    for (int p = 0; p < k; ++p) {
      const S x = right[p * step];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; i += SIZE) {
        const Quad<S> y = quad(left + p * down + place[i / SIZE]);
        PHYSOLVE_UNROLL
        for (int q = 0; q < SIZE; ++q) sum[i + q] += y.v[q] * x;
      }
    }
  } else {
    for (int p = 0; p < k; ++p) {
      const S x = right[p * step];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) sum[i] += left[(row + i < m ? row + i : m - 1) * a.row + p * a.column] * x;
    }
  }
}

// With strides that are known for networks 32 wide, the usual ones.
template <bool SHARED, int ROWS, class S>
PHYSOLVE_HD void accumulate(int m, int k, const Block<const S>& a, const Block<const S>& b, int row, int column,
                            S (&sum)[ROWS]) {
  constexpr int WIDE = 32, SKEWED = WIDE + Quad<S>::size;
  const auto read = [&](auto how) { accumulate(how, m, k, a, b, row, column, sum); };
  switch (along(a)) {
    case Along::depth:
      if (b.column == 1) {
        if (row + ROWS <= m && a.row == WIDE && b.row == SKEWED) {
          return read(Reading<SHARED, Along::depth, true, WIDE, SKEWED>{});
        }
        return read(Reading<SHARED, Along::depth, true>{});
      }
      if (row + ROWS <= m && a.row == WIDE && b.column == SKEWED) {
        return read(Reading<SHARED, Along::depth, false, WIDE, SKEWED>{});
      }
      return read(Reading<SHARED, Along::depth, false>{});
    case Along::rows:
      if (a.column == WIDE && b.row == WIDE) return read(Reading<SHARED, Along::rows, true, WIDE, WIDE>{});
      return read(Reading<SHARED, Along::rows, true>{});
    case Along::neither: return read(Reading<SHARED, Along::neither, true>{});
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
