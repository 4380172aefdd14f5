// The two nonlinear rules of jet arithmetic and their adjoints, for one channel of one point (or a vector of them).
//
//   s(v):   v' = s(v),  v'_i = s' v_i,  v'_ij = s' v_ij + s'' v_i v_j
//   a b:    v = ab,  v_i = a_i b + a b_i,  v_ij = a_ij b + a_i b_j + a_j b_i + a b_ij
//
// A jet is a pointer to its value; row r lies `stride` further on. L is a number or a vector of numbers.
#pragma once

#include <type_traits>

#include "pattern.h"

namespace physolve {

// Functions as (value, what their derivatives need) and then s', s'', s'''. Of the argument v and s one is kept besides:
// v where `keeps_argument`, from which s then follows.
template <Function F>
struct Rule;

template <>
struct Rule<Function::tanh> {
  static constexpr int kept = 0;
  static constexpr bool keeps_argument = false;
  template <class Math, class L>
  static PHYSOLVE_HD void open(L v, L& s, L&, L&) {
    s = Math::tanh(v);
  }
  template <class L>
  static PHYSOLVE_HD void slopes(L, L s, L, L, L& d1, L& d2, L& d3) {
    d1 = 1 - s * s;
    d2 = -2 * s * d1;
    d3 = d1 * (4 - 6 * d1);  // -2 d1^2 - 2 s d2, with s^2 = 1 - d1
  }
};

template <>
struct Rule<Function::sine> {
  static constexpr int kept = 1;
  static constexpr bool keeps_argument = false;
  template <class Math, class L>
  static PHYSOLVE_HD void open(L v, L& s, L& a, L&) {
    Math::sincos(v, s, a);
  }
  template <class L>
  static PHYSOLVE_HD void slopes(L, L s, L a, L, L& d1, L& d2, L& d3) {
    d1 = a;
    d2 = -s;
    d3 = -a;
  }
};

// v Phi(v), Phi the normal distribution, phi its density:
// s' = Phi + v phi, s'' = phi (2 - v^2), s''' = phi (v^3 - 4 v).
template <>
struct Rule<Function::gelu> {
  static constexpr int kept = 2;
  static constexpr bool keeps_argument = true;
  template <class Math, class L>
  static PHYSOLVE_HD void open(L v, L& s, L& a, L& b) {
    Math::normal(v, a, b);
    s = v * a;
  }
  template <class L>
  static PHYSOLVE_HD void slopes(L v, L, L a, L b, L& d1, L& d2, L& d3) {
    d1 = a + v * b;
    d2 = b * (2 - v * v);
    d3 = b * v * (v * v - 4);
  }
};

// f(F) as a type's `value`, for the function F that is asked for.
template <class Run>
PHYSOLVE_HD_INLINED void with_function(Function function, Run f) {
  switch (function) {
    case Function::tanh: return f(std::integral_constant<Function, Function::tanh>{});
    case Function::sine: return f(std::integral_constant<Function, Function::sine>{});
    case Function::gelu: return f(std::integral_constant<Function, Function::gelu>{});
  }
}

template <class L, class S>
PHYSOLVE_HD L& at(S* jet, int row, int stride) {
  return *reinterpret_cast<L*>(jet + row * stride);
}

template <class L, class S>
PHYSOLVE_HD const L& at(const S* jet, int row, int stride) {
  return *reinterpret_cast<const L*>(jet + row * stride);
}

// The rows of a jet, in registers where the pattern is known.
template <class L, class P>
struct Rows {
  L value[P::most];

  PHYSOLVE_HD L& operator[](int r) { return value[r]; }
  PHYSOLVE_HD const L& operator[](int r) const { return value[r]; }
};

template <class L, class P, class S>
PHYSOLVE_HD Rows<L, P> read(P p, const S* jet, int stride) {
  Rows<L, P> rows;
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) rows[r] = at<L>(jet, r, stride);
  return rows;
}

template <class L, class P, class S>
PHYSOLVE_HD void write(P p, const Rows<L, P>& rows, S* jet, int stride) {
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) at<L>(jet, r, stride) = rows[r];
}

template <class L, class P>
PHYSOLVE_HD Rows<L, P> plus(P p, Rows<L, P> a, const Rows<L, P>& b) {
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) a[r] += b[r];
  return a;
}

template <class L, class P>
PHYSOLVE_HD Rows<L, P> minus(P p, Rows<L, P> a, const Rows<L, P>& b) {
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) a[r] -= b[r];
  return a;
}

// s(z), given s, s', s'' at the value.
template <class L, class P>
PHYSOLVE_HD Rows<L, P> chain(P p, const Rows<L, P>& z, L s, L d1, L d2) {
  Rows<L, P> h;
  h[0] = s;
  PHYSOLVE_UNROLL
  for (int r = 1; r <= p.firsts(); ++r) h[r] = d1 * z[r];
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q;
    h[r] = d1 * z[r] + d2 * (z[p.left(q)] * z[p.right(q)]);
  }
  return h;
}

// Cotangent of z from that of s(z). Sums grow by one product at a time, here and below: that is one instruction each.
template <class L, class P>
PHYSOLVE_HD Rows<L, P> chain_adjoint(P p, const Rows<L, P>& z, Rows<L, P> g, L d1, L d2, L d3) {
  L slope{}, bend{};
  PHYSOLVE_UNROLL
  for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) slope += z[r] * g[r];
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) bend += g[1 + p.firsts() + q] * (z[p.left(q)] * z[p.right(q)]);
  g[0] = d1 * g[0];
  g[0] += d2 * slope;
  g[0] += d3 * bend;
  PHYSOLVE_UNROLL
  for (int r = 1; r <= p.firsts(); ++r) g[r] = d1 * g[r];
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q;
    const L bent = d2 * g[r];
    g[p.left(q)] += bent * z[p.right(q)];
    g[p.right(q)] += bent * z[p.left(q)];
    g[r] = d1 * g[r];
  }
  return g;
}

// sum + a b.
template <class L, class P>
PHYSOLVE_HD Rows<L, P> plus_product(P p, Rows<L, P> sum, const Rows<L, P>& a, const Rows<L, P>& b) {
  sum[0] += a[0] * b[0];
  PHYSOLVE_UNROLL
  for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) {
    sum[r] += a[r] * b[0];
    sum[r] += a[0] * b[r];
  }
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q, i = p.left(q), j = p.right(q);
    sum[r] += a[i] * b[j];
    sum[r] += a[j] * b[i];
  }
  return sum;
}

// Cotangent of one factor from that of the product, given the other factor.
template <class L, class P>
PHYSOLVE_HD Rows<L, P> product_adjoint(P p, const Rows<L, P>& g, const Rows<L, P>& other) {
  Rows<L, P> to;
  to[0] = g[0] * other[0];
  PHYSOLVE_UNROLL
  for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) {
    to[0] += g[r] * other[r];
    to[r] = g[r] * other[0];
  }
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q, i = p.left(q), j = p.right(q);
    to[i] += g[r] * other[j];
    to[j] += g[r] * other[i];
  }
  return to;
}

}  // namespace physolve
