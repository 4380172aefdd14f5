// Narrow networks on warps: layers of at most 8 * tiles channels, a pattern of rows known when this is compiled, float.
//
// A warp takes eight points through the network. A jet is [tile of 8 channels][row][point][channel of the tile], and lane
// (g, t), g = lane / 4, t = lane % 4, owns the channels 2t and 2t + 1 of point g in every tile and row: consecutive lanes
// have consecutive numbers, and these are the fragments of the tensor cores (warp.h) up to the order of channels in a sum.
// Where a product's lines are points, a fragment of sixteen is two rows of the jet; in a weight's gradient, sixteen
// channels. Of two tiles at once a lane has four numbers, on which the rules work.
//
// The warps of a block share a network: its weights, and the sum of the gradient, of which each adds up a part over all
// of their points. Only that reads what other lanes wrote, x and y; all else is the lanes' own, [two tiles][row][lane][four
// numbers].
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

template <int tiles, class Known, class Warp, class Machine>
class NarrowSweep {
 public:
  static constexpr int rows = Known::most, halves = (rows + 1) / 2, stride = rows * CELL;
  using Jet = Rows<Four, Known>;

  PHYSOLVE_HD_INLINED NarrowSweep(const Plan& plan, const float* weights, const NarrowJets& jets, Warp warp,
                                  const Machine& machine)
      : plan(plan), shape(plan, tiles), weights(weights), jets(jets), warp(warp), machine(machine),
        x(jets.x(jets.own)), y(jets.y(jets.own)), g(warp.lane / 4), t(warp.lane % 4) {}

  // The jets of `count` points from `points` on, row r's to out + r * row_stride.
  PHYSOLVE_HD_INLINED void forward(const float* points, int count, float* out, long row_stride) const {
    to_last_hidden(points, count, false);
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

  // Adds the gradient in the weights to `sums`, from cotangents laid out like the jets. All warps come here together, some
  // perhaps with no point of their own.
  PHYSOLVE_HD_INLINED void backward(const float* points, int count, const float* cotangents, long row_stride,
                                    float* sums) const {
    to_last_hidden(points, count, true);
    const int last = plan.last(), heads = plan.heads();
    for (int k = 2 * warp.lane; k < shape.last_tiles * stride; k += CELL) pair(y + k) = Pair{};
    each_output([&](int place, int r, int o) {
      if (g < count) y[place] = cotangents[r * row_stride + g * plan.outputs() + o];
    });
    if (shape.last_tiles == 1) {
      gradient<1>(x, y, last, sums);
    } else {
      gradient<tiles>(x, y, last, sums);
    }
    transposed(y, last);
    for (int l = last - 1; l >= heads; --l) {
      adjoint(l, nullptr);
      input_into_y(l);
      gradient<tiles>(y, x, l, sums);
      transposed(x, l);
    }
    features_into_y(points, count);
    for (int k = 0; k < heads; ++k) {
      const int l = (k + heads - 1) % heads;  // h, U, V
      if (k > 0 && !plan.is_mixed(heads - 1)) break;  // nothing reads U and V
      adjoint(l, k == 0 ? nullptr : k == 1 ? jets.to_u() : jets.to_v());
      gradient<tiles>(y, x, l, sums);
    }
  }

 private:
  const Plan& plan;
  const NarrowShape shape;
  const float* weights;
  const NarrowJets jets;
  const Warp warp;
  const Machine& machine;
  float *const x, *const y;
  const int g, t;
  const Known pattern{};

  static PHYSOLVE_HD_INLINED Pair& pair(float* p) { return *reinterpret_cast<Pair*>(p); }
  static PHYSOLVE_HD_INLINED const Pair& pair(const float* p) { return *reinterpret_cast<const Pair*>(p); }

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
  PHYSOLVE_HD_INLINED void to_last_hidden(const float* points, int count, bool keep) const {
    features_into_y(points, count);
    for (int l = 0; l < plan.last(); ++l) {
      dense<tiles>(l < plan.heads() ? y : x, l);
      with_function(plan.function, [&](auto f) { activate<decltype(f)::value>(l, keep); });
    }
  }

  PHYSOLVE_HD_INLINED void features_into_y(const float* points, int count) const {
    const int last = count > 0 ? count - 1 : 0;
    const float* point = points + (g < count ? g : last) * plan.dim;  // a short tile repeats its last point
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

  // x = `from` W_l, without the bias.
  template <int across>
  PHYSOLVE_HD_INLINED void dense(const float* from, int l) const {
    const float* w = weights + shape.weights_before(l);
    product<across>(from, shape.in_tiles(l), [&](int i, int j, Fragment<2>& b) {
      const float* tile = w + (i * across + j) * CELL + g;
      b.set(0, tile[line_of(2 * t) * 8]);
      b.set(1, tile[line_of(2 * t + 1) * 8]);
    });
  }

  // x = `from` W_l^T.
  PHYSOLVE_HD_INLINED void transposed(const float* from, int l) const {
    const int across = shape.out_tiles(l);
    const float* w = weights + shape.weights_before(l) + line_of(g) * 8 + 2 * t;
    product<tiles>(from, across, [&](int i, int j, Fragment<2>& b) {
      const Pair two = pair(w + (j * across + i) * CELL);
      b.set(0, two.x);
      b.set(1, two.y);
    });
  }

  // x = the product of the jet `from`, which may be x, with the tiles that `right` gives: lines are the points of two rows.
  template <int across, class Right>
  PHYSOLVE_HD_INLINED void product(const float* from, int deep, Right right) const {
    float sum[halves][across][4] = {};
    for (int i = 0; i < deep; ++i) {
      Fragment<2> b[across];
      PHYSOLVE_UNROLL
      for (int j = 0; j < across; ++j) right(i, j, b[j]);
      PHYSOLVE_UNROLL
      for (int q = 0; q < halves; ++q) {
        const float* tile = from + i * stride + 2 * q * CELL + 2 * warp.lane;
        const Pair upper = pair(tile), lower = 2 * q + 1 < rows ? pair(tile + CELL) : Pair{};
        Fragment<4> a;
        a.set(0, upper.x);
        a.set(1, lower.x);
        a.set(2, upper.y);
        a.set(3, lower.y);
        PHYSOLVE_UNROLL
        for (int j = 0; j < across; ++j) warp.multiply_add(sum[q][j], a, b[j]);
      }
    }
    PHYSOLVE_UNROLL
    for (int j = 0; j < across; ++j) {
      PHYSOLVE_UNROLL
      for (int r = 0; r < rows; ++r) {
        const float* two = sum[r / 2][j] + r % 2 * 2;
        pair(x + j * stride + r * CELL + 2 * warp.lane) = {two[0], two[1]};
      }
    }
  }

  // Adds to layer l's sums: of the weight sum_r input_r (x) cotangent_r, of the bias the cotangent of the value, over the
  // points of all warps; `input` and `cotangent` are x and y or y and x. Each of the four warps has half of the inputs
  // and half of the outputs. Tensor cores cut off where an addition rounds: sums over many points are made outside of them.
  template <int across>
  PHYSOLVE_HD_INLINED void gradient(const float* input, const float* cotangent, int l, float* sums) const {
    static_assert(NARROW_WARPS == 4);
    constexpr int part = across > 1 ? across / 2 : 1;
    const int j = jets.own % 2 * part;
    machine.sync();
    for (int m = jets.own / 2; j < across && 2 * m < shape.in_tiles(l); m += 2) {
      add_products<part>(input, cotangent, m, j, sums + shape.sums_before(l) + (m * across + j) * 2 * CELL);
      if (m == 0) add_biases<part>(cotangent, j, sums + shape.bias_sum_of(l));
    }
    machine.sync();
  }

  // For sixteen inputs from tile 2m on and `part` tiles of outputs from tile j on.
  template <int part>
  PHYSOLVE_HD_INLINED void add_products(const float* input, const float* cotangent, int m, int j, float* to) const {
    const int place = t * 8 + g, upper = 2 * m, lower = 2 * m + 1 < tiles ? 2 * m + 1 : upper;  // a further one is nobody's
    float total[part][4] = {};
    each_warp([&](long away) {
      float sum[part][4] = {};
      for (int r = 0; r < rows; ++r) {
        Fragment<4> a;
        PHYSOLVE_UNROLL
        for (int k = 0; k < 2; ++k) {  // points t and t + 4
          const float* row = input + away + r * CELL + place + k * 32;
          a.set(2 * k, row[upper * stride]);
          a.set(2 * k + 1, row[lower * stride]);
        }
        PHYSOLVE_UNROLL
        for (int n = 0; n < part; ++n) {
          Fragment<2> b;
          const float* row = cotangent + away + (j + n) * stride + r * CELL + place;
          b.set(0, row[0]);
          b.set(1, row[32]);
          warp.multiply_add(sum[n], a, b);
        }
      }
      PHYSOLVE_UNROLL
      for (int k = 0; k < 4 * part; ++k) total[k / 4][k % 4] += sum[k / 4][k % 4];
    });
    PHYSOLVE_UNROLL
    for (int n = 0; n < part; ++n) {
      Four& four = *reinterpret_cast<Four*>(to + n * 2 * CELL + 4 * warp.lane);
      four += Four{{total[n][0], total[n][1]}, {total[n][2], total[n][3]}};
    }
  }

  template <int part>
  PHYSOLVE_HD_INLINED void add_biases(const float* cotangent, int j, float* to) const {
    PHYSOLVE_UNROLL
    for (int n = j; n < j + part; ++n) {
      Pair& sum = pair(to + n * CELL + 2 * warp.lane);
      each_warp([&](long away) {
        const Pair more = pair(cotangent + away + n * stride + 2 * warp.lane);
        sum = {sum.x + more.x, sum.y + more.y};
      });
    }
  }

  // f(how far a warp's x and y lie from this one's).
  template <class F>
  PHYSOLVE_HD_INLINED void each_warp(F f) const {
    for (int w = 0; w < NARROW_WARPS; ++w) f(jets.x(w) - x);
  }

  // z of layer l in x becomes the next layer's input; U and V go to places of their own.
  template <Function F>
  PHYSOLVE_HD_INLINED void activate(int l, bool keep) const {
    const float* bias = weights + shape.bias_of(l) + 2 * t;
    float *d = jets.difference(), *v = jets.v(), *kept = jets.kept(l);
    each_two_tiles([&](int j, int place, int own) {
      Jet z = load(x + place);
      z[0] += Four{pair(bias + 8 * j), pair(bias + 8 * j + 8)};
      const Slopes at = slopes_at<F>(z[0]);
      const Jet h = chain(pattern, z, at.s, at.first, at.second);
      if (keep) {
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

  PHYSOLVE_HD_INLINED void adjoint(int l, const float* from) const {
    with_function(plan.function, [&](auto f) { adjoint_with<decltype(f)::value>(l, from); });
  }

  // The cotangent of z in x, from that of what goes on to the next layer: in x, or among the lane's own. The first gates on
  // this way write the cotangents of U and V.
  template <Function F>
  PHYSOLVE_HD_INLINED void adjoint_with(int l, const float* from) const {
    const bool mix = plan.is_mixed(l), add = plan.is_mixed(l + 1);
    const float *kept = jets.kept(l), *d = jets.difference();
    float *to_u = jets.to_u(), *to_v = jets.to_v();
    each_two_tiles([&](int, int place, int own) {
      const Jet z = load_own(kept + own);
      Jet g = from ? load_own(from + own) : load(x + place);
      const Slopes at = slopes_from<F>(z[0]);
      if (mix) {
        Jet by_u = product_adjoint(pattern, g, chain(pattern, z, at.s, at.first, at.second));
        Jet by_v = minus(pattern, g, by_u);
        if (add) {
          by_u = plus(pattern, by_u, load_own(to_u + own));
          by_v = plus(pattern, by_v, load_own(to_v + own));
        }
        store_own(by_u, to_u + own);
        store_own(by_v, to_v + own);
        g = product_adjoint(pattern, g, load_own(d + own));
      }
      store(chain_adjoint(pattern, z, g, at.first, at.second, at.third), x + place);
    });
  }

  PHYSOLVE_HD_INLINED void input_into_y(int l) const {
    with_function(plan.function, [&](auto f) { input_with<decltype(f)::value>(l); });
  }

  // What layer l, not a head, multiplied, from the kept z of the layer before.
  template <Function F>
  PHYSOLVE_HD_INLINED void input_with(int l) const {
    const float* kept = jets.kept(l - 1);
    each_two_tiles([&](int, int place, int own) {
      const Jet z = load_own(kept + own);
      const Slopes at = slopes_from<F>(z[0]);
      store(passed_on(l - 1, chain(pattern, z, at.s, at.first, at.second), own), y + place);
    });
  }
};

}  // namespace physolve
