// The two nonlinear rules of jet arithmetic and their adjoints, for one channel of one point (or a vector of them).
//
//   s(v):   v' = s(v),  v'_i = s' v_i,  v'_ij = s' v_ij + s'' v_i v_j
//   a b:    v = ab,  v_i = a_i b + a b_i,  v_ij = a_ij b + a_i b_j + a_j b_i + a b_ij
//
// A jet is a pointer to its value; row r lies `stride` further on. L is a number or a vector of numbers.
#pragma once

#include "pattern.h"

namespace physolve {

// Functions as (value, what their derivatives need) and then s', s'', s'''.
template <Function F>
struct Rule;

template <>
struct Rule<Function::tanh> {
  static constexpr int kept = 0;
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

// h = s(z), given s, s', s'' at the value.
template <class L, class P, class S>
PHYSOLVE_HD void chain(P p, const S* z_jet, S* h, int stride, L s, L d1, L d2) {
  const auto z = read<L>(p, z_jet, stride);
  at<L>(h, 0, stride) = s;
  PHYSOLVE_UNROLL
  for (int r = 1; r <= p.firsts(); ++r) at<L>(h, r, stride) = d1 * z[r];
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q;
    at<L>(h, r, stride) = d1 * z[r] + d2 * (z[p.left(q)] * z[p.right(q)]);
  }
}

// Cotangent of z in place of that of h = s(z).
template <class L, class P, class S>
PHYSOLVE_HD void chain_adjoint(P p, const S* z_jet, S* g_jet, int stride, L d1, L d2, L d3) {
  const auto z = read<L>(p, z_jet, stride);
  auto g = read<L>(p, static_cast<const S*>(g_jet), stride);
  g[0] = d1 * g[0];
  PHYSOLVE_UNROLL
  for (int r = 1; r <= p.firsts(); ++r) {
    g[0] += d2 * z[r] * g[r];
    g[r] = d1 * g[r];
  }
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q;
    const L left = z[p.left(q)], right = z[p.right(q)], bent = d2 * g[r];
    g[0] += bent * z[r] + d3 * g[r] * (left * right);
    g[p.left(q)] += bent * right;
    g[p.right(q)] += bent * left;
    g[r] = d1 * g[r];
  }
  write<L>(p, g, g_jet, stride);
}

// D = U - V.
template <class L, class P, class S>
PHYSOLVE_HD void difference(P p, const S* u, const S* v, S* d, int stride) {
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) at<L>(d, r, stride) = at<L>(u, r, stride) - at<L>(v, r, stride);
}

// m = V + h D.
template <class L, class P, class S>
PHYSOLVE_HD void gate(P p, const S* h_jet, const S* d_jet, const S* v, S* m, int stride) {
  const auto h = read<L>(p, h_jet, stride), d = read<L>(p, d_jet, stride);
  at<L>(m, 0, stride) = at<L>(v, 0, stride) + h[0] * d[0];
  PHYSOLVE_UNROLL
  for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) {
    L sum = at<L>(v, r, stride) + h[r] * d[0] + h[0] * d[r];
    if (r > p.firsts()) {
      const int i = p.left(r - 1 - p.firsts()), j = p.right(r - 1 - p.firsts());
      sum += h[i] * d[j] + h[j] * d[i];
    }
    at<L>(m, r, stride) = sum;
  }
}

// For g, the cotangent of m: that of h in its place; those of U and V are written where it is the `first`, else added.
template <class L, class P, class S>
PHYSOLVE_HD void gate_adjoint(P p, const S* h_jet, const S* d_jet, S* g_jet, S* gu, S* gv, int stride, bool first) {
  const auto h = read<L>(p, h_jet, stride), d = read<L>(p, d_jet, stride);
  const auto g = read<L>(p, static_cast<const S*>(g_jet), stride);
  Rows<L, P> to_h, to_d;
  to_h[0] = g[0] * d[0];
  to_d[0] = g[0] * h[0];
  PHYSOLVE_UNROLL
  for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) {
    to_h[0] += g[r] * d[r];
    to_d[0] += g[r] * h[r];
    to_h[r] = g[r] * d[0];
    to_d[r] = g[r] * h[0];
  }
  PHYSOLVE_UNROLL
  for (int q = 0; q < p.seconds(); ++q) {
    const int r = 1 + p.firsts() + q, i = p.left(q), j = p.right(q);
    to_h[i] += g[r] * d[j];
    to_h[j] += g[r] * d[i];
    to_d[i] += g[r] * h[j];
    to_d[j] += g[r] * h[i];
  }
  PHYSOLVE_UNROLL
  for (int r = 0; r < 1 + p.firsts() + p.seconds(); ++r) {
    const L to_v = g[r] - to_d[r];
    at<L>(gu, r, stride) = first ? to_d[r] : at<L>(gu, r, stride) + to_d[r];
    at<L>(gv, r, stride) = first ? to_v : at<L>(gv, r, stride) + to_v;
  }
  write<L>(p, to_h, g_jet, stride);
}

}  // namespace physolve
