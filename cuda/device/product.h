// Products of blocks by a team of warps: a thread has one column of the result and some of its rows in registers.
//
// Rows of A are read four numbers at a time and by all threads of a warp alike, which is one access. Where such numbers
// reach beyond k or m, they are the padding of jets and weights, which is zero.
#pragma once

#include <type_traits>

#include "../core/sweep.h"

namespace physolve {

constexpr int QUAD = 4;

template <class S>
struct alignas(16) Quad {
  S v[QUAD];
};

template <class S>
PHYSOLVE_HD const Quad<S>& quad(const S* p) {
  return *reinterpret_cast<const Quad<S>*>(p);
}

// In which direction four numbers lie together.
enum class Along { depth, rows, neither };

template <class S>
PHYSOLVE_HD Along along(const Block<const S>& a) {
  if (a.column == 1 && a.row % QUAD == 0) return Along::depth;
  if (a.row == 1 && a.column % QUAD == 0) return Along::rows;
  return Along::neither;
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
  const S* right = placed<SHARED>(b.p) + column * b.column;  // b.column is 1 where B is read across its rows
  if constexpr (A == Along::depth) {
    const S* left[ROWS];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; ++i) left[i] = placed<SHARED>(a.p) + (row + i < m ? row + i : m - 1) * a.row;
    for (int p = 0; p < k; p += QUAD) {
      Quad<S> x;
      if constexpr (B_ACROSS) {
        PHYSOLVE_UNROLL
        for (int q = 0; q < QUAD; ++q) x.v[q] = right[(p + q) * b.row];
      } else {
        x = quad(right + p);
      }
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; ++i) {
        const Quad<S> y = quad(left[i] + p);
        PHYSOLVE_UNROLL
        for (int q = 0; q < QUAD; ++q) sum[i] += y.v[q] * x.v[q];
      }
    }
  } else if constexpr (A == Along::rows) {
    const int last = (m - 1) / QUAD * QUAD;
    const S* left[ROWS / QUAD];
    PHYSOLVE_UNROLL
    for (int i = 0; i < ROWS; i += QUAD) left[i / QUAD] = placed<SHARED>(a.p) + (row + i < last ? row + i : last);
    PHYSOLVE_UNROLL
    for (int p = 0; p < k; ++p) {
      const S x = right[p * b.row];
      PHYSOLVE_UNROLL
      for (int i = 0; i < ROWS; i += QUAD) {
        const Quad<S> y = quad(left[i / QUAD] + p * a.column);
        PHYSOLVE_UNROLL
        for (int q = 0; q < QUAD; ++q) sum[i + q] += y.v[q] * x;
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
  const Along where = along(a);
  if (where == Along::depth && b.column == 1) {
    accumulate<SHARED, ROWS, Along::depth, true>(m, k, a, b, row, column, sum);
  } else if (where == Along::depth) {
    accumulate<SHARED, ROWS, Along::depth, false>(m, k, a, b, row, column, sum);
  } else if (where == Along::rows && ROWS % QUAD == 0) {
    accumulate<SHARED, ROWS, ROWS % QUAD ? Along::neither : Along::rows, true>(m, k, a, b, row, column, sum);
  } else {
    accumulate<SHARED, ROWS, Along::neither, true>(m, k, a, b, row, column, sum);
  }
}

// A thread's place in its team of warps. Pieces of work go to warps in turn, also from one product to the next, which
// need not wait for each other.
struct Member {
  int warp, lane, warps, lanes;
  int next = 0;  // the warp whose turn it is
};

// ROWS rows and a warp's columns of C a piece of work. What C holds is asked for before the work begins, so that it has
// come when the work is done.
template <bool SHARED, int ROWS, class S>
PHYSOLVE_HD void product_pieces(const Member& member, int m, int n, int k, const Factors<S>& factors, const Block<S>& c,
                                bool add) {
  const int across = (n + member.lanes - 1) / member.lanes, pieces = (m + ROWS - 1) / ROWS * across;
  const int first = member.warp - member.next;
  for (int piece = first < 0 ? first + member.warps : first; piece < pieces; piece += member.warps) {
    const int row = piece / across * ROWS, column = piece % across * member.lanes + member.lane;
    if (column >= n) continue;
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

// Rows of a piece: few, so that all warps have one; five and six are the jets of a point with two coordinates.
template <class S>
PHYSOLVE_HD int rows_of_pieces(const Member& member, int m, int n, const Block<const S>& a) {
  const int down = member.warps / ((n + member.lanes - 1) / member.lanes), each = down > 0 ? (m + down - 1) / down : m;
  if (each <= 4) return 4;
  if (each <= 6 && along(a) != Along::rows) return each;
  return 8;
}

// C = or += the sum of products.
template <bool SHARED, class S>
PHYSOLVE_CALL void products(Member& member, int m, int n, int k, const Factors<S>& factors, const Block<S>& c,
                            bool add) {
  const int rows = rows_of_pieces(member, m, n, factors.left[0]);
  switch (rows) {
    case 4: product_pieces<SHARED, 4>(member, m, n, k, factors, c, add); break;
    case 5: product_pieces<SHARED, 5>(member, m, n, k, factors, c, add); break;
    case 6: product_pieces<SHARED, 6>(member, m, n, k, factors, c, add); break;
    default: product_pieces<SHARED, 8>(member, m, n, k, factors, c, add);
  }
  const int pieces = (m + rows - 1) / rows * ((n + member.lanes - 1) / member.lanes);
  member.next = (member.next + pieces) % member.warps;
}

}  // namespace physolve
