// Narrow networks on warps: layers of at most 8 * tiles channels, a pattern of rows known when this is compiled, float.
//
// A warp takes eight points through the network. A jet is [tile of 8 channels][row][point][channel of the tile], and lane
// (g, t), g = lane / 4, t = lane % 4, owns the channels 2t and 2t + 1 of point g in every tile and row: consecutive lanes
// have consecutive numbers, and these are the fragments of the tensor cores (warp.h) up to the order of channels in a sum.
// Where a product's lines are points, a fragment of sixteen is two rows of the jet; in a weight's gradient, sixteen
// channels. Of two tiles at once a lane has four numbers, on which the rules work.
//
// The warps of a block share a network's weights and the sums of its gradient, to which they add by turns; else none waits
// for another. Only a weight's gradient reads what other lanes wrote, x and y; all else is the lanes' own, [two
// tiles][row][lane][four numbers]. What lies in scratch is loaded well before it is wanted: a processor has two warps for
// each of its schedulers, too few to work while others wait.
#pragma once

#include "narrow_layout.h"
#include "warp.h"

namespace physolve {

// s and its derivatives at a value.
struct Slopes {
  Four s, first, second, third;
};

template <Function F>
PHYSOLVE_HD_INLINED Slopes slopes_at(Four v) {
  Slopes at;
  Four a, b;
  Rule<F>::template open<FourMath>(v, at.s, a, b);
  Rule<F>::slopes(v, at.s, a, b, at.first, at.second, at.third);
  return at;
}

// The same from what is kept in the place of the value: s itself where that is enough.
template <Function F>
PHYSOLVE_HD_INLINED Slopes slopes_from(Four kept) {
  if constexpr (Rule<F>::kept == 0) {
    Slopes at{kept};
    Rule<F>::slopes(Four{}, kept, Four{}, Four{}, at.first, at.second, at.third);
    return at;
  } else {
    return slopes_at<F>(kept);
  }
}

template <int tiles, class Known, bool back, class Warp>
class NarrowSweep {
 public:
  static constexpr int rows = Known::most, halves = (rows + 1) / 2, stride = rows * CELL;
  static constexpr int parts = weight_parts(tiles), cell = parts * CELL;  // a tile of weights
  using Jet = Rows<Four, Known>;

  // Forward has no use for `sums`.
  PHYSOLVE_HD_INLINED NarrowSweep(const Plan& plan, const float* weights, const NarrowJets& jets, float* sums, Warp warp)
      : plan(plan), shape(plan, tiles), weights(weights), jets(jets), sums(sums), warp(warp), x(jets.x()), y(jets.y()),
        g(warp.lane / 4), t(warp.lane % 4) {}

  // The jets of `count` points from `points` on, row r's to out + r * row_stride.
  PHYSOLVE_HD_INLINED void forward(const float* points, int count, float* out, long row_stride) const {
    to_last_hidden(points, count);
    const int last = plan.last();
    if (shape.last_tiles == 1) {
      dense<1>(x, last);
    } else {
      dense<tiles>(x, last);
    }
    const float* bias = weights + shape.bias_of(last);
    each_output([&](int place, int r, int o) {
      if (g < count) out[r * row_stride + g * plan.outputs() + o] = r == 0 ? x[place] + bias[o] : x[place];
    });
  }

  // Adds the gradient in the weights to the sums, from cotangents laid out like the jets. All warps come here as many times,
  // or to pass_turns.
  PHYSOLVE_HD_INLINED void backward(const float* points, int count, const float* cotangents, long row_stride) const {
    to_last_hidden(points, count);
    const int last = plan.last(), heads = plan.heads();
    for (int k = 2 * warp.lane; k < shape.last_tiles * stride; k += CELL) pair(y + k) = Pair{};
    each_output([&](int place, int r, int o) {
      if (g < count) y[place] = cotangents[r * row_stride + g * plan.outputs() + o];
    });
    if (shape.last_tiles == 1) {
      gradient<1>(x, y, last);
    } else {
      gradient<tiles>(x, y, last);
    }
    Kept kept = kept_of(last - 1, 0);
    transposed(y, last);
    for (int l = last - 1; l >= 0; --l) {
      if (!is_read(l)) break;
      if (l == heads - 1) features_into_y(points, count);
      back_through(l, kept, l >= heads - 1 ? nullptr : l == 1 ? jets.to_v() : jets.to_u());
      gradient<tiles>(y, x, l);
      if (l > 0) kept = kept_of(l - 1, 0);
      if (l >= heads) transposed(x, l);
    }
  }

  // For a warp without points.
  PHYSOLVE_HD_INLINED void pass_turns() const {
    for (int l = plan.last(); l >= 0 && is_read(l); --l) {
      for (int i = 0; i < shape.in_tiles(l); i += 4) {
        warp.wait_for_turn();
        warp.pass_turn();
      }
    }
  }

 private:
  const Plan& plan;
  const NarrowShape shape;
  const float* weights;
  const NarrowJets jets;
  float* const sums;
  const Warp warp;
  float *const x, *const y;
  const int g, t;
  const Known pattern{};

  // U and V are read where a layer is mixed.
  PHYSOLVE_HD_INLINED bool is_read(int l) const { return l >= plan.heads() - 1 || plan.is_mixed(plan.heads() - 1); }

  static PHYSOLVE_HD_INLINED Pair& pair(float* p) { return *reinterpret_cast<Pair*>(p); }
  static PHYSOLVE_HD_INLINED const Pair& pair(const float* p) { return *reinterpret_cast<const Pair*>(p); }
  static PHYSOLVE_HD_INLINED Four& four(float* p) { return *reinterpret_cast<Four*>(p); }

  // Two tiles, of x or y and of what is a lane's own.
  PHYSOLVE_HD_INLINED Jet load(const float* p) const {
    Jet jet;
    PHYSOLVE_UNROLL
    for (int r = 0; r < rows; ++r) jet[r] = {pair(p + r * CELL), pair(p + stride + r * CELL)};
    return jet;
  }
  PHYSOLVE_HD_INLINED void store(const Jet& jet, float* p) const {
    PHYSOLVE_UNROLL
    for (int r = 0; r < rows; ++r) {
      pair(p + r * CELL) = jet[r].a;
      pair(p + stride + r * CELL) = jet[r].b;
    }
  }
  PHYSOLVE_HD_INLINED Jet load_own(const float* p) const { return read<Four>(pattern, p, 2 * CELL); }
  PHYSOLVE_HD_INLINED void store_own(const Jet& jet, float* p) const { write(pattern, jet, p, 2 * CELL); }

  // f(j, place of tiles j and j + 1 in x or y, place of the lane's own).
  template <class F>
  PHYSOLVE_HD_INLINED void each_two_tiles(F f) const {
    for (int j = 0; j < tiles; j += 2) f(j, j * stride + 2 * warp.lane, j * stride + 4 * warp.lane);
  }

  // f(place in a tile's jet, row, output) for the lane's outputs.
  template <class F>
  PHYSOLVE_HD_INLINED void each_output(F f) const {
    for (int j = 0; j < shape.last_tiles; ++j) {
      for (int o = 8 * j + 2 * t; o < 8 * j + 2 * t + 2 && o < plan.outputs(); ++o) {
        for (int r = 0; r < rows; ++r) f(j * stride + r * CELL + g * 8 + o % 8, r, o);
      }
    }
  }

  // h of the last hidden layer in x.
  PHYSOLVE_HD_INLINED void to_last_hidden(const float* points, int count) const {
    features_into_y(points, count);
    for (int l = 0; l < plan.last(); ++l) {
      dense<tiles>(l < plan.heads() ? y : x, l);
      with_function(plan.function, [&](auto f) { activate<decltype(f)::value>(l); });
    }
  }

  PHYSOLVE_HD_INLINED void features_into_y(const float* points, int count) const {
    const float* point = points + (g < count ? g : count - 1) * plan.dim;  // a short tile repeats its last point
    const auto* features = reinterpret_cast<const FeaturePair*>(weights + shape.features_at());
    for (int j = 0; j < shape.head_tiles; ++j) {
      const FeaturePair two = features[4 * j + t];
      const float z[2] = {(point[two.axis[0] < 0 ? 0 : two.axis[0]] - two.center[0]) * two.scale[0],
                          (point[two.axis[1] < 0 ? 0 : two.axis[1]] - two.center[1]) * two.scale[1]};
      Pair value{z[0], z[1]}, slope{two.scale[0], two.scale[1]}, bend{};
      if (two.is_wave()) {
        sincospi(two.turns * z[0], value.x, value.y);
        slope = {two.rate * value.y, -two.rate * value.x};
        bend = {two.rate * slope.y, -two.rate * slope.x};
      }
      float* to = y + j * stride + 2 * warp.lane;
      pair(to) = value;
      PHYSOLVE_UNROLL
      for (int r = 1; r < rows; ++r) {
        const bool first = r <= pattern.firsts();
        const int of = first ? plan.layout.axis[r - 1] : plan.layout.pure[r - 1 - pattern.firsts()];
        const Pair row = first ? slope : bend;
        pair(to + r * CELL) = {of == two.axis[0] ? row.x : 0.0f, of == two.axis[1] ? row.y : 0.0f};
      }
    }
  }

  // From the weights' parts, of which some have been made when they were packed.
  template <class Two>
  static PHYSOLVE_HD_INLINED void set_weights(Fragment<2>& b, Two two) {
    const Pair big = two(0);
    if constexpr (parts == 1) {
      b.set(0, big.x);
      b.set(1, big.y);
    } else {
      const Pair small = two(1);
      b.big[0] = big.x, b.big[1] = big.y;
      b.small[0] = small.x, b.small[1] = small.y;
    }
  }

  // x = `from` W_l, without the bias.
  template <int across>
  PHYSOLVE_HD_INLINED void dense(const float* from, int l) const {
    const float* lines = weights + shape.weights_before(l) + line_of(2 * t) * 8 + g;
    const int next = (line_of(2 * t + 1) - line_of(2 * t)) * 8;
    product<across>(from, shape.in_tiles(l), lines, across * cell, [&](const float* w, int j, Fragment<2>& b) {
      set_weights(b, [&](int part) {
        const float* line = w + j * cell + part * CELL;
        return Pair{line[0], line[next]};
      });
    });
  }

  // x = `from` W_l^T.
  PHYSOLVE_HD_INLINED void transposed(const float* from, int l) const {
    const int across = shape.out_tiles(l);
    const float* lines = weights + shape.weights_before(l) + line_of(g) * 8 + 2 * t;
    product<tiles>(from, across, lines, cell, [&](const float* w, int j, Fragment<2>& b) {
      set_weights(b, [&](int part) { return pair(w + j * across * cell + part * CELL); });
    });
  }

  // x = the product of the jet `from`, which may be x, with tiles of weights that `right` takes from w: lines are the points
  // of two rows. From one of the `deep` inputs' tiles to the next w moves by `step`. Small products are summed apart where
  // there are registers: what is cut off makes all jets smaller, which no sum over points evens out.
  template <int across, class Right>
  PHYSOLVE_HD_INLINED void product(const float* from, int deep, const float* w, int step, Right right) const {
    float sum[halves][across][4] = {}, rest[halves][across][4] = {};
    auto& small = 8 * halves * across <= sum_registers(tiles, back) ? rest : sum;
    const float* tile = from + 2 * warp.lane;
    for (const float* end = tile + deep * stride; tile != end; tile += stride, w += step) {
      Fragment<2> b[across];
      PHYSOLVE_UNROLL
      for (int j = 0; j < across; ++j) right(w, j, b[j]);
      PHYSOLVE_UNROLL
      for (int q = 0; q < halves; ++q) {
        const float* row = tile + 2 * q * CELL;
        const Pair upper = pair(row), lower = pair(row + (2 * q + 1 < rows ? CELL : 0));  // or any: nobody reads it
        Fragment<4> a;
        a.set(0, upper.x);
        a.set(1, lower.x);
        a.set(2, upper.y);
        a.set(3, lower.y);
        PHYSOLVE_UNROLL
        for (int j = 0; j < across; ++j) warp.multiply_add(sum[q][j], small[q][j], a, b[j]);
      }
    }
    PHYSOLVE_UNROLL
    for (int j = 0; j < across; ++j) {
      PHYSOLVE_UNROLL
      for (int r = 0; r < rows; ++r) {
        const float *two = sum[r / 2][j] + r % 2 * 2, *more = rest[r / 2][j] + r % 2 * 2;
        pair(x + j * stride + r * CELL + 2 * warp.lane) = {two[0] + more[0], two[1] + more[1]};
      }
    }
  }

  // Adds to layer l's sums: of the weight sum_r input_r (x) cotangent_r, of the bias the cotangent of the value; `input` and
  // `cotangent` are x and y or y and x. Tensor cores cut off where an addition rounds: sums over many points are made
  // outside of them.
  template <int across>
  PHYSOLVE_HD_INLINED void gradient(const float* input, const float* cotangent, int l) const {
    warp.sync();
    for (int i = 0; i < shape.in_tiles(l); i += 4) {
      float sum[2][across][4] = {};
      add_products<across>(input, cotangent, i, sum);
      warp.wait_for_turn();
      float* to = sums + shape.sums_before(l) + i * across * CELL + 4 * warp.lane;
      PHYSOLVE_UNROLL
      for (int k = 0; k < 2 * across; ++k) {
        const float* more = sum[k / across][k % across];
        if (k < across || i + 2 < shape.in_tiles(l)) four(to + k * 2 * CELL) += Four{{more[0], more[1]}, {more[2], more[3]}};
      }
      if (i == 0) add_biases<across>(cotangent, sums + shape.bias_sum_of(l));
      warp.pass_turn();
    }
    warp.sync();
  }

  // For sixteen inputs from tile i on, and for the sixteen after them.
  template <int across>
  PHYSOLVE_HD_INLINED void add_products(const float* input, const float* cotangent, int i, float (&sum)[2][across][4]) const {
    const int place = t * 8 + g;
    PHYSOLVE_ROLLED  // the processor's warps are all over this code, which must stay near it: a sixth slower unrolled
    for (int r = 0; r < rows; ++r) {
      Fragment<4> a[2];
      PHYSOLVE_UNROLL
      for (int k = 0; k < 8; ++k) {  // points t and t + 4; a tile beyond the layer's is nobody's
        const int tile = i + k / 4 * 2 + k % 2;
        a[k / 4].set(k % 4, input[tile * stride + r * CELL + place + k % 4 / 2 * 32]);
      }
      PHYSOLVE_UNROLL
      for (int n = 0; n < across; ++n) {
        Fragment<2> b;
        const float* row = cotangent + n * stride + r * CELL + place;
        b.set(0, row[0]);
        b.set(1, row[32]);
        warp.multiply_add(sum[0][n], sum[0][n], a[0], b);
        warp.multiply_add(sum[1][n], sum[1][n], a[1], b);
      }
    }
  }

  // A lane sums up the points of a channel, in an order in which the lanes meet different memory banks.
  template <int across>
  PHYSOLVE_HD_INLINED void add_biases(const float* cotangent, float* to) const {
    PHYSOLVE_UNROLL
    for (int channel = warp.lane; channel < 8 * across; channel += 32) {
      const float* of_channel = cotangent + channel / 8 * stride + channel % 8;
      float total = 0;
      PHYSOLVE_UNROLL
      for (int k = 0; k < NARROW_POINTS; ++k) total += of_channel[(k + channel / 8) % NARROW_POINTS * 8];
      to[channel] += total;
    }
  }

  // z of layer l in x becomes the next layer's input; U and V go to places of their own.
  template <Function F>
  PHYSOLVE_HD_INLINED void activate(int l) const {
    const float* bias = weights + shape.bias_of(l) + 2 * t;
    float *d = jets.difference(), *v = jets.v(), *kept = jets.kept(l);
    each_two_tiles([&](int j, int place, int own) {
      Jet z = load(x + place);
      z[0] += Four{pair(bias + 8 * j), pair(bias + 8 * j + 8)};
      const Slopes at = slopes_at<F>(z[0]);
      const Jet h = chain(pattern, z, at.s, at.first, at.second);
      if constexpr (back) {
        if constexpr (Rule<F>::kept == 0) z[0] = at.s;
        store_own(z, kept + own);
      }
      if (plan.gated && l == 0) return store_own(h, d + own);
      if (plan.gated && l == 1) {
        store_own(h, v + own);
        return store_own(minus(pattern, load_own(d + own), h), d + own);
      }
      store(passed_on(l, h, own), x + place);
    });
  }

  // What the next layer multiplies, where layer l gives h.
  PHYSOLVE_HD_INLINED Jet passed_on(int l, const Jet& h, int own) const {
    if (!plan.is_mixed(l)) return h;
    return plus_product(pattern, load_own(jets.v() + own), h, load_own(jets.difference() + own));
  }

  // A lane's z of layer l and of the layer before, whose h it multiplied, at two tiles; of a head only its own.
  struct Kept {
    Jet z, before;
  };

  PHYSOLVE_HD_INLINED Kept kept_of(int l, int j) const {
    const int own = j * stride + 4 * warp.lane;
    Kept kept;
    kept.z = load_own(jets.kept(l) + own);
    if (l >= plan.heads()) kept.before = load_own(jets.kept(l - 1) + own);
    return kept;
  }

  // The cotangent of z of layer l in x, from that of what goes on to the next layer: in x, or among the lane's own. In y
  // what layer l multiplied, unless it is a head. `kept` is that of the first two tiles.
  PHYSOLVE_HD_INLINED void back_through(int l, Kept kept, const float* from) const {
    with_function(plan.function, [&](auto f) {
      constexpr Function F = decltype(f)::value;
      for (int j = 0; j < tiles; j += 4) {
        const Kept next = kept_of(l, j + 2);
        back_with<F>(l, kept, from, j);
        if (j + 4 < tiles) kept = kept_of(l, j + 4);
        back_with<F>(l, next, from, j + 2);
      }
    });
  }

  template <Function F>
  PHYSOLVE_HD_INLINED void back_with(int l, const Kept& kept, const float* from, int j) const {
    const int place = j * stride + 2 * warp.lane, own = j * stride + 4 * warp.lane;
    adjoint<F>(l, kept.z, from ? load_own(from + own) : load(x + place), place, own);
    if (l < plan.heads()) return;
    const Slopes at = slopes_from<F>(kept.before[0]);
    store(passed_on(l - 1, chain(pattern, kept.before, at.s, at.first, at.second), own), y + place);
  }

  // The first gates on this way write the cotangents of U and V.
  template <Function F>
  PHYSOLVE_HD_INLINED void adjoint(int l, const Jet& z, Jet g, int place, int own) const {
    const Slopes at = slopes_from<F>(z[0]);
    if (plan.is_mixed(l)) {
      float *to_u = jets.to_u() + own, *to_v = jets.to_v() + own;
      Jet by_u = product_adjoint(pattern, g, chain(pattern, z, at.s, at.first, at.second));
      Jet by_v = minus(pattern, g, by_u);
      if (plan.is_mixed(l + 1)) {
        by_u = plus(pattern, by_u, load_own(to_u));
        by_v = plus(pattern, by_v, load_own(to_v));
      }
      store_own(by_u, to_u);
      store_own(by_v, to_v);
      g = product_adjoint(pattern, g, load_own(jets.difference() + own));
    }
    store(chain_adjoint(pattern, z, g, at.first, at.second, at.third), x + place);
  }
};

}  // namespace physolve
