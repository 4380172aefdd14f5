// Small dense products C (+)= A B on vectors: a block of C stays in registers while k runs.
#pragma once

#include <type_traits>
#include <utility>

#include "../core/sweep.h"
#include "vector.h"

namespace physolve {

// Rows of C in registers, times two vectors a row: 24 of AVX-512's 32 registers, 12 of the other sets' 16.
constexpr int PRODUCT_ROWS = PHYSOLVE_VECTOR_BYTES == 64 ? 12 : 6;

template <class S, int rows, int vectors, bool add>
inline void product_block(int k, Block<const S> a, Block<const S> b, Block<S> c) {
  using V = Vector<S>;
  constexpr int lanes = lanes_of<S>;
  V sum[rows][vectors];
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) sum[i][j] = add ? at<V>(c.p + j * lanes, i, c.row) : V{};
  }
  // Rows by threes: four pointers and two strides fit the address registers, twelve offsets do not.
  const S* column[(rows + 2) / 3];
#pragma GCC unroll 4
  for (int i = 0; i < rows; i += 3) column[i / 3] = a.p + i * a.row;
  const long row = a.row, next = a.column;
  const S* line = b.p;
  for (int p = 0; p < k; ++p, line += b.row) {
    V right[vectors];
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) right[j] = at<V>(line + j * lanes, 0, 0);
#pragma GCC unroll 16
    for (int i = 0; i < rows; ++i) {
      const S left = column[i / 3][i % 3 * row];
#pragma GCC unroll 2
      for (int j = 0; j < vectors; ++j) sum[i][j] += left * right[j];
    }
#pragma GCC unroll 4
    for (int i = 0; i < (rows + 2) / 3; ++i) column[i] += next;
  }
#pragma GCC unroll 16
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < vectors; ++j) at<V>(c.p + j * lanes, i, c.row) = sum[i][j];
  }
}

// `rows` < PRODUCT_ROWS is known only at run time: one instance for each.
template <class S, int vectors, bool add, int... less>
inline void last_rows(int rows, int k, Block<const S> a, Block<const S> b, Block<S> c,
                      std::integer_sequence<int, less...>) {
  ((rows == less + 1 ? product_block<S, less + 1, vectors, add>(k, a, b, c) : void()), ...);
}

template <class S, int vectors, bool add>
inline void product_panel(int m, int k, Block<const S> a, Block<const S> b, Block<S> c) {
  int i = 0;
  for (; i + PRODUCT_ROWS <= m; i += PRODUCT_ROWS) {
    product_block<S, PRODUCT_ROWS, vectors, add>(k, {a.p + i * a.row, a.row, a.column}, b, {c.p + i * c.row, c.row});
  }
  last_rows<S, vectors, add>(m - i, k, {a.p + i * a.row, a.row, a.column}, b, {c.p + i * c.row, c.row},
                             std::make_integer_sequence<int, PRODUCT_ROWS - 1>{});
}

// n is a whole number of vectors; rows of B and C are consecutive numbers.
template <class S, bool add>
inline void product(int m, int n, int k, Block<const S> a, Block<const S> b, Block<S> c) {
  constexpr int lanes = lanes_of<S>;
  int j = 0;
  for (; j + 2 * lanes <= n; j += 2 * lanes) {
    product_panel<S, 2, add>(m, k, a, {b.p + j, b.row}, {c.p + j, c.row});
  }
  if (j < n) product_panel<S, 1, add>(m, k, a, {b.p + j, b.row}, {c.p + j, c.row});
}

}  // namespace physolve
