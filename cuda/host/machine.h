// The host's way of sweeping a tile: one thread, vectors of channels.
#pragma once

#include "product.h"
#include "vector.h"

namespace physolve {

template <class S>
struct HostMachine {
  using Scalar = S;
  using Lane = Vector<S>;
  using Math = VectorMath<S>;
  using Patterns = CommonPatterns;
  static constexpr int lanes = lanes_of<S>;

  template <class F>
  inline void channels(int points, int width, F f) const {
    for (int t = 0; t < points; ++t) {
      for (int c = 0; c < width; c += lanes) f(t, c);
    }
  }

  template <class F>
  inline void lines(int points, int count, F f) const {
    for (int k = 0; k < count; ++k) {
      // The last vector may overlap the one before: a tile has at least one vector of points.
      for (int t = 0; t < points; t += lanes) f(t + lanes > points ? points - lanes : t, k);
    }
  }

  template <class F>
  inline void numbers(int count, F f) const {
    for (int k = 0; k < count; ++k) f(k);
  }

  template <class F>
  inline void grid(int rows, int columns, F f) const {
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < columns; ++j) f(i, j);
    }
  }

  template <class F>
  inline void runs(int points, F f) const {
    for (int t = 0; t < points; ++t) f(t, 1);
  }

  template <class Row, class F>
  inline void outer(int first, int count, int in, int out, Row row, F f) const {
    for (int t = first; t < first + count; ++t) {
      for (int i = 0; i < in; ++i) {
        S* to = row(t, i);
        int n = 0;
        for (; n + lanes <= out; n += lanes) store(to + n, f(t, i, n));
        if (n == out) continue;
        const Lane value = f(t, i, n);
        for (int c = n; c < out; ++c) to[c] = value[c - n];
      }
    }
  }

  inline void fill(S* p, int count) const { std::memset(p, 0, count * sizeof(S)); }

  inline void product(int m, int n, int k, Block<const S> a, Block<const S> b, Block<S> c, bool add) const {
    if (add) {
      physolve::product<S, true>(m, n, k, a, b, c);
    } else {
      physolve::product<S, false>(m, n, k, a, b, c);
    }
  }

  inline S dot(const S* a, const S* b, int width) const {
    Lane sum{};
    for (int c = 0; c < width; c += lanes) sum += at<Lane>(a + c, 0, 0) * at<Lane>(b + c, 0, 0);
    return total<S>(sum);
  }

  inline Lane load(const S* p) const {
    Lane value;
    std::memcpy(&value, p, sizeof(value));
    return value;
  }

  inline void store(S* p, Lane value) const { std::memcpy(p, &value, sizeof(value)); }

  inline void sync() const {}
};

}  // namespace physolve
