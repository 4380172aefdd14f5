// One tile of points through one network: the jet forward, then its adjoint from what the tile keeps.
//
// A jet of the tile is [point][row][channel], so that a point's rows lie together; channels are padded to whole vectors
// (weights with zeros, so that padded channels stay zero). The Machine says how the work is done: vectors and registers on the host, the threads of
// a block on the device. It provides
//   Scalar, Lane, lanes, Math, Patterns (a PatternList)
//   channels(points, width, f)      f(point, channel) for every vector of channels
//   lines(points, count, f)         f(point, k) for k < count and every vector of points
//   numbers(count, f)               f(k) for k < count
//   grid(rows, columns, f)          f(i, j) for i < rows, j < columns
//   runs(points, f)                 f(first, count) for runs of points: on the host each point for itself
//   outer(first, count, in, out, row, f)   row(t, i)[n ...] = f(t, i, n) for the run's points, a vector from channel n on,
//                                   cut at `out`
//   fill(p, count)                  zeros
//   product(m, n, k, A, B, C, add)  C = A B or C += A B on blocks in memory; A may be read transposed
//   dot(a, b, width)                scalar product of two padded channels
//   load(p), store(p, v)            a vector of consecutive numbers, anywhere in memory
//   sync()                          what was written before may be read after
#pragma once

#include "plan.h"
#include "rules.h"

namespace physolve {

// A[i, j] at p + i * row + j * column.
template <class S>
struct Block {
  S* p;
  int row;
  int column = 1;
};

// Weights of one network with padded channels: weight (in, out), transposed (out, in), bias. Rows of a head's weight
// are features in the kernels' order; the last layer has only `transposed`. `passes_on`: it is the identity, as where
// the last hidden layer itself is asked for, and need not be multiplied.
template <class S>
struct Packed {
  S *weight[MAX_LAYERS], *transposed[MAX_LAYERS], *bias[MAX_LAYERS];
  bool passes_on = false;
};

// The tile's memory. Jets z (before) and h (after the function) a layer, `kept` what the function's derivatives need,
// `mixed` the gated inputs, in whose place h is not kept, `difference` U - V; g the cotangent of h, those of U and of V;
// that of z takes z's place; features and derivatives, which are [feature][point], as they are computed. Where nothing
// goes back, jets that follow one another share a place.
template <class S>
struct Tile {
  S *f0, *f1, *f2, *feature_cotangent;
  S *z[MAX_LAYERS], *h[MAX_LAYERS], *kept[MAX_LAYERS], *mixed[MAX_LAYERS];
  S *difference, *g, *to_u, *to_v;
  S* points;     // [axis][point]
  S* outputs;    // [point][row][output]: the result, or the cotangent for backward
  S* to_points;  // [axis][point], null where it is not wanted
};

template <class Machine>
class Sweep {
 public:
  using S = typename Machine::Scalar;
  using L = typename Machine::Lane;
  static constexpr int lanes = Machine::lanes;

  PHYSOLVE_HD Sweep(const Plan& plan, int points, Machine machine)
      : plan(plan), layout(plan.layout), rows(plan.layout.rows()), T(points), machine(machine) {}

  PHYSOLVE_HD int width(int l) const { return padded(plan.layer[l].out, lanes); }
  PHYSOLVE_HD int feature_width() const { return padded(plan.features(), lanes); }

  // Up to the last hidden layer, which `outputs_from` or `backward` go on from.
  PHYSOLVE_HD void forward(const Packed<S>& w, const Tile<S>& tile) {
    features(tile);
    for (int l = 0; l < plan.heads(); ++l) head(w, tile, l);
    for (int l = plan.heads(); l < plan.last(); ++l) {
      machine.product(rows * T, width(l), plan.layer[l].in, Block<const S>{input(tile, l), width(l - 1)},
                      Block<const S>{w.weight[l], width(l)}, Block<S>{tile.z[l], width(l)}, false);
      machine.sync();
      activate(w, tile, l);
    }
  }

  // The network's jet.
  PHYSOLVE_HD Block<const S> outputs_from(const Packed<S>& w, const Tile<S>& tile) {
    const int last = plan.last(), n = width(last - 1), outputs = plan.outputs();
    const S* h = tile.h[last - 1];
    if (w.passes_on) return {h, n};
    machine.grid(T * rows, outputs, [&](int line, int o) {
      tile.outputs[line * outputs + o] = machine.dot(h + line * n, w.transposed[last] + o * n, n);
      if (line % rows == 0) tile.outputs[line * outputs + o] += w.bias[last][o];
    });
    machine.sync();
    return {tile.outputs, outputs};
  }

  // From the cotangent in tile.outputs (after forward): every layer's weights' share goes to the sink.
  template <class Sink>
  PHYSOLVE_HD void backward(const Packed<S>& w, const Tile<S>& tile, Sink& sink) {
    const int last = plan.last(), n = width(last - 1), outputs = plan.outputs();
    sink.last(*this, tile);
    machine.product(rows * T, n, outputs, Block<const S>{tile.outputs, outputs}, Block<const S>{w.transposed[last], n},
                    Block<S>{tile.g, n}, false);
    if (plan.gated && !plan.is_mixed(plan.heads() - 1)) {  // nothing reads U and V
      machine.fill(tile.to_u, rows * T * width(0));
      machine.fill(tile.to_v, rows * T * width(0));
    }
    machine.sync();
    for (int l = last - 1; l >= plan.heads(); --l) {
      activate_adjoint(tile, l, tile.g);
      sink.dense(*this, tile, l);
      machine.product(rows * T, width(l - 1), plan.layer[l].out, Block<const S>{tile.z[l], width(l)},
                      Block<const S>{w.transposed[l], width(l - 1)}, Block<S>{tile.g, width(l - 1)}, false);
      machine.sync();
    }
    if (tile.to_points) machine.fill(tile.to_points, plan.dim * T);
    head_adjoint(w, tile, sink, plan.heads() - 1, tile.g);
    if (plan.gated) {
      head_adjoint(w, tile, sink, 0, tile.to_u);
      head_adjoint(w, tile, sink, 1, tile.to_v);
    }
    sink.finish(*this, tile);
  }

  // The jet that layer l, not a head, multiplies.
  PHYSOLVE_HD const S* input(const Tile<S>& tile, int l) const {
    return plan.is_mixed(l - 1) ? tile.mixed[l] : tile.h[l - 1];
  }

  // Axis of the features that row r > 0 of a head's output depends on: -1 for a mixed derivative, which is zero.
  PHYSOLVE_HD int axis_of(int r) const {
    return r <= layout.firsts ? layout.axis[r - 1] : layout.pure[r - 1 - layout.firsts];
  }

  // Derivatives of the features that row r > 0 reads.
  PHYSOLVE_HD const S* features_of(const Tile<S>& tile, int r) const { return r <= layout.firsts ? tile.f1 : tile.f2; }

  const Plan& plan;
  const Layout& layout;
  const int rows, T;
  Machine machine;

 private:
  // sin and cos of 2 pi b z for every band, and z = (x - center) slope itself, with two derivatives in x.
  PHYSOLVE_HD void features(const Tile<S>& tile) {
    const int each = plan.bands + 1;
    machine.lines(T, plan.dim * each, [&](int t, int k) {
      const int axis = k / each, band = k % each;
      const S slope = S(plan.slope[axis]);
      const L z = (machine.load(tile.points + axis * T + t) - S(plan.center[axis])) * slope;
      auto put = [&](int feature, L value, L first_derivative, L second_derivative) {
        const int place = (axis * plan.per_axis() + feature) * T + t;
        machine.store(tile.f0 + place, value);
        machine.store(tile.f1 + place, first_derivative);
        machine.store(tile.f2 + place, second_derivative);
      };
      if (band == plan.bands) return put(2 * plan.bands, z, z * 0 + slope, z * 0);
      const S omega = S(plan.frequency[band]), rate = omega * slope;
      L s, c;
      Machine::Math::sincos(z * omega, s, c);
      put(band, s, rate * c, -rate * rate * s);
      put(plan.bands + band, c, -rate * s, -rate * rate * c);
    });
    machine.sync();
  }

  // A layer on the features: a derivative along an axis sees that axis' block alone, a mixed one nothing.
  PHYSOLVE_HD void head(const Packed<S>& w, const Tile<S>& tile, int l) {
    const int n = width(l), block = plan.per_axis();
    machine.product(T, n, plan.features(), Block<const S>{tile.f0, 1, T}, Block<const S>{w.weight[l], n},
                    Block<S>{tile.z[l], rows * n}, false);
    for (int r = 1; r < rows; ++r) {
      const int from = axis_of(r) * block;
      S* row = tile.z[l] + r * n;
      if (from < 0 || (r > layout.firsts && plan.bands == 0)) {
        machine.channels(T, n, [&](int t, int channel) { at<L>(row + t * rows * n + channel, 0, 0) = L{}; });
      } else {
        machine.product(T, n, block, Block<const S>{features_of(tile, r) + from * T, 1, T},
                        Block<const S>{w.weight[l] + from * n, n}, Block<S>{row, rows * n}, false);
      }
    }
    machine.sync();
    activate(w, tile, l);
  }

  PHYSOLVE_HD void activate(const Packed<S>& w, const Tile<S>& tile, int l) {
    with_function(plan.function, [&](auto f) { activate_with<decltype(f)::value>(w, tile, l); });
  }

  // The function, and what follows on the same numbers while they are in the cache: U - V after V, the gates.
  template <Function F>
  PHYSOLVE_HD void activate_with(const Packed<S>& w, const Tile<S>& tile, int l) {
    const int n = width(l);
    const bool subtract = plan.gated && l == 1, mix = plan.is_mixed(l);
    const S *bias = w.bias[l], *u = tile.h[0], *v = tile.h[1];
    S *z = tile.z[l], *h = tile.h[l], *kept = tile.kept[l], *d = tile.difference, *mixed = tile.mixed[l + 1];
    with_pattern(typename Machine::Patterns{}, layout, [&](auto pattern) {
      machine.channels(T, n, [&](int t, int channel) PHYSOLVE_INLINE {
        const int offset = t * rows * n + channel;
        auto jet = read<L>(pattern, static_cast<const S*>(z + offset), n);
        jet[0] += at<L>(bias + channel, 0, 0);
        L s{}, a{}, b{}, d1, d2, d3;
        Rule<F>::template open<typename Machine::Math>(jet[0], s, a, b);
        Rule<F>::slopes(jet[0], s, a, b, d1, d2, d3);
        at<L>(z + offset, 0, n) = Rule<F>::keeps_argument ? jet[0] : s;
        if constexpr (Rule<F>::kept > 0) at<L>(kept + t * Rule<F>::kept * n + channel, 0, n) = a;
        if constexpr (Rule<F>::kept > 1) at<L>(kept + t * Rule<F>::kept * n + channel, 1, n) = b;
        jet = chain(pattern, jet, s, d1, d2);
        if (mix) {  // V + h D
          const auto to = read<L>(pattern, v + offset, n);
          const auto by = read<L>(pattern, static_cast<const S*>(d + offset), n);
          return write(pattern, plus_product(pattern, to, jet, by), mixed + offset, n);
        }
        write(pattern, jet, h + offset, n);
        if (subtract) write(pattern, minus(pattern, read<L>(pattern, u + offset, n), jet), d + offset, n);
      });
    });
    machine.sync();
  }

  PHYSOLVE_HD void activate_adjoint(const Tile<S>& tile, int l, const S* g) {
    with_function(plan.function, [&](auto f) { activate_adjoint_with<decltype(f)::value>(tile, l, g); });
  }

  // Back through the gates and then the function; the first gates on this way write the cotangents of U and V.
  template <Function F>
  PHYSOLVE_HD void activate_adjoint_with(const Tile<S>& tile, int l, const S* g) {
    const int n = width(l);
    const bool mix = plan.is_mixed(l), first = !plan.is_mixed(l + 1);
    const S *kept = tile.kept[l], *d = tile.difference;
    S *z = tile.z[l], *gu = tile.to_u, *gv = tile.to_v;
    const auto add = [&](auto pattern, const auto& rows, S* to, bool first) {
      if (first) return write(pattern, rows, to, n);
      write(pattern, plus(pattern, rows, read<L>(pattern, static_cast<const S*>(to), n)), to, n);
    };
    with_pattern(typename Machine::Patterns{}, layout, [&](auto pattern) {
      machine.channels(T, n, [&](int t, int channel) PHYSOLVE_INLINE {
        const int offset = t * rows * n + channel;
        const auto in = read<L>(pattern, static_cast<const S*>(z + offset), n);
        auto jet = read<L>(pattern, g + offset, n);
        L a{}, b{}, d1, d2, d3;
        if constexpr (Rule<F>::kept > 0) a = at<L>(kept + t * Rule<F>::kept * n + channel, 0, n);
        if constexpr (Rule<F>::kept > 1) b = at<L>(kept + t * Rule<F>::kept * n + channel, 1, n);
        const L s = Rule<F>::keeps_argument ? in[0] * a : in[0];
        Rule<F>::slopes(in[0], s, a, b, d1, d2, d3);
        if (mix) {
          const auto to_u = product_adjoint(pattern, jet, chain(pattern, in, s, d1, d2)), to_v = minus(pattern, jet, to_u);
          add(pattern, to_u, gu + offset, first);
          add(pattern, to_v, gv + offset, first);
          jet = product_adjoint(pattern, jet, read<L>(pattern, d + offset, n));
        }
        write(pattern, chain_adjoint(pattern, in, jet, d1, d2, d3), z + offset, n);
      });
    });
    machine.sync();
  }

  template <class Sink>
  PHYSOLVE_HD void head_adjoint(const Packed<S>& w, const Tile<S>& tile, Sink& sink, int l, const S* g) {
    activate_adjoint(tile, l, g);
    sink.head(*this, tile, l);
    if (tile.to_points) points_adjoint(w, tile, l);
  }

  // The value row depends on a point through the features, a first-derivative row through their first derivatives, ...
  PHYSOLVE_HD void points_adjoint(const Packed<S>& w, const Tile<S>& tile, int l) {
    const int stride = feature_width(), n = width(l);
    S* cotangent = tile.feature_cotangent;
    for (int r = 0; r < rows; ++r) {
      if (r > 0 && axis_of(r) < 0) continue;
      machine.product(T, stride, plan.layer[l].out, Block<const S>{tile.z[l] + r * n, rows * n},
                      Block<const S>{w.transposed[l], stride}, Block<S>{cotangent, stride}, false);
      machine.sync();
      machine.grid(T, plan.dim, [&](int t, int axis) {
        if (r > 0 && axis_of(r) != axis) return;
        S total = 0;
        for (int f = 0; f < plan.per_axis(); ++f) {
          const int feature = axis * plan.per_axis() + f;
          total += cotangent[t * stride + feature] * feature_slope(tile, r, feature * T + t, axis, f);
        }
        tile.to_points[axis * T + t] += total;
      });
      machine.sync();
    }
  }

  // d / dx of what row r reads of a feature: its first, second or third derivative.
  PHYSOLVE_HD S feature_slope(const Tile<S>& tile, int r, int offset, int axis, int f) const {
    if (r == 0) return tile.f1[offset];
    if (r <= layout.firsts) return tile.f2[offset];
    if (f == 2 * plan.bands) return S(0);
    const S rate = S(plan.frequency[f % plan.bands] * plan.slope[axis]);
    return -rate * rate * tile.f1[offset];
  }
};

}  // namespace physolve
