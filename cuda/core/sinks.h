// Where a backward sweep leaves the gradient in the weights: summed over points, or one row a point. The sweep calls
// last, dense and head for every layer, last layer first, when the cotangent is in tile.z, and finish at the end.
#pragma once

#include "sweep.h"

namespace physolve {

// The sum over the tile's points, added in packed form (the last layer's in `transposed`).
template <class Machine>
struct GradientSum {
  using S = typename Machine::Scalar;
  using L = typename Machine::Lane;
  Packed<S> gradient;

  PHYSOLVE_HD void last(Sweep<Machine>& sweep, const Tile<S>& tile) {
    const int l = sweep.plan.last(), n = sweep.width(l - 1), outputs = sweep.plan.outputs();
    sweep.machine.product(outputs, n, sweep.rows * sweep.T, Block<const S>{tile.outputs, 1, outputs},
                          Block<const S>{tile.h[l - 1], n}, Block<S>{gradient.transposed[l], n}, true);
    sweep.machine.numbers(outputs, [&](int o) {
      for (int t = 0; t < sweep.T; ++t) gradient.bias[l][o] += tile.outputs[t * sweep.rows * outputs + o];
    });
  }

  PHYSOLVE_HD void dense(Sweep<Machine>& sweep, const Tile<S>& tile, int l) {
    const int n = sweep.width(l);
    const S* g = tile.z[l];
    sweep.machine.product(sweep.plan.layer[l].in, n, sweep.rows * sweep.T,
                          Block<const S>{sweep.input(tile, l), 1, sweep.width(l - 1)}, Block<const S>{g, n},
                          Block<S>{gradient.weight[l], n}, true);
    add_bias(sweep, l, g);
  }

  PHYSOLVE_HD void head(Sweep<Machine>& sweep, const Tile<S>& tile, int l) {
    const S* g = tile.z[l];
    const int n = sweep.width(l), block = sweep.plan.per_axis(), T = sweep.T;
    sweep.machine.product(sweep.plan.features(), n, T, Block<const S>{tile.f0, T}, Block<const S>{g, sweep.rows * n},
                          Block<S>{gradient.weight[l], n}, true);
    for (int r = 1; r < sweep.rows; ++r) {
      const int from = sweep.axis_of(r) * block;
      if (from < 0) continue;
      sweep.machine.sync();
      sweep.machine.product(block, n, T, Block<const S>{sweep.features_of(tile, r) + from * T, T},
                            Block<const S>{g + r * n, sweep.rows * n}, Block<S>{gradient.weight[l] + from * n, n}, true);
    }
    add_bias(sweep, l, g);
  }

  PHYSOLVE_HD void finish(Sweep<Machine>&, const Tile<S>&) {}

 private:
  PHYSOLVE_HD void add_bias(Sweep<Machine>& sweep, int l, const S* g) {
    const int n = sweep.width(l);
    sweep.machine.channels(1, n, [&](int, int channel) {
      L total = at<L>(gradient.bias[l] + channel, 0, 0);
      for (int t = 0; t < sweep.T; ++t) total += at<L>(g + channel, t, sweep.rows * n);
      at<L>(gradient.bias[l] + channel, 0, 0) = total;
    });
  }
};

// The gradient of every point as a row of flat weights, `stride` apart: rows of a Gauss-Newton Jacobian. They are written
// at the end, on the host each in one go: layer by layer, in short pieces on many pages, it took a quarter longer. Tried:
// non-temporal stores of a row put together beforehand, 8 % faster, and a small matrix would no longer be in the cache.
template <class Machine>
struct PointRows {
  using S = typename Machine::Scalar;
  using L = typename Machine::Lane;
  S* out;
  long stride;
  int points;  // of the tile's points, those that are wanted

  PHYSOLVE_HD void last(Sweep<Machine>&, const Tile<S>&) {}
  PHYSOLVE_HD void dense(Sweep<Machine>&, const Tile<S>&, int) {}
  PHYSOLVE_HD void head(Sweep<Machine>&, const Tile<S>&, int) {}

  PHYSOLVE_HD void finish(Sweep<Machine>& sweep, const Tile<S>& tile) {
    const Plan& plan = sweep.plan;
    sweep.machine.runs(points, [&](int first, int count) {
      for (int l = 0; l < plan.last(); ++l) {
        if (l < plan.heads()) {
          for (int axis = 0; axis < plan.dim; ++axis) head_rows(sweep, tile, l, axis, first, count);
        } else {
          dense_rows(sweep, tile, l, first, count);
        }
        bias_rows(sweep, tile, l, first, count);
      }
      last_rows(sweep, tile, first, count);
    });
  }

 private:
  // d / d W_l = sum over the jet's rows of input (x) cotangent.
  PHYSOLVE_HD void dense_rows(Sweep<Machine>& sweep, const Tile<S>& tile, int l, int first, int count) {
    const int n = sweep.width(l), before = sweep.width(l - 1), rows = sweep.rows;
    const S *inputs = sweep.input(tile, l), *g = tile.z[l];
    const Dense layer = sweep.plan.layer[l];
    with_pattern(typename Machine::Patterns{}, sweep.layout, [&](auto p) {
      sweep.machine.outer(
          first, count, layer.in, layer.out,
          [&](int t, int i) { return out + t * stride + layer.weight + i * layer.out; },
          [&](int t, int i, int channel) PHYSOLVE_INLINE {
            const S *input = inputs + t * rows * before + i, *cotangent = g + t * rows * n + channel;
            L total = at<L>(cotangent, 0, n) * input[0];
            PHYSOLVE_UNROLL
            for (int r = 1; r < 1 + p.firsts() + p.seconds(); ++r) total += at<L>(cotangent, r, n) * input[r * before];
            return total;
          });
    });
  }

  // For the features of one axis, which only the value and the derivatives along that axis depend on.
  PHYSOLVE_HD void head_rows(Sweep<Machine>& sweep, const Tile<S>& tile, int l, int axis, int first, int count) {
    const int n = sweep.width(l), T = sweep.T, rows = sweep.rows, from = axis * sweep.plan.per_axis();
    const S* g = tile.z[l];
    const Dense layer = sweep.plan.layer[l];
    int slope = 0, bend = 0;  // rows of the first and the second derivative, 0 where there is none
    for (int r = 1; r < rows; ++r) {
      if (sweep.axis_of(r) == axis) (r <= sweep.layout.firsts ? slope : bend) = r;
    }
    sweep.machine.outer(
        first, count, sweep.plan.per_axis(), layer.out,
        [&](int t, int i) { return out + t * stride + layer.weight + sweep.plan.feature_row(from + i) * layer.out; },
        [&](int t, int i, int channel) PHYSOLVE_INLINE {
          const S* cotangent = g + t * rows * n + channel;
          const int place = (from + i) * T + t;
          L total = at<L>(cotangent, 0, n) * tile.f0[place];
          if (slope) total += at<L>(cotangent, slope, n) * tile.f1[place];
          if (bend) total += at<L>(cotangent, bend, n) * tile.f2[place];
          return total;
        });
  }

  PHYSOLVE_HD void bias_rows(Sweep<Machine>& sweep, const Tile<S>& tile, int l, int first, int count) {
    const int n = sweep.width(l), rows = sweep.rows;
    const S* g = tile.z[l];
    const Dense layer = sweep.plan.layer[l];
    sweep.machine.outer(
        first, count, 1, layer.out, [&](int t, int) { return out + t * stride + layer.bias; },
        [&](int t, int, int channel) { return at<L>(g + t * rows * n + channel, 0, 0); });
  }

  PHYSOLVE_HD void last_rows(Sweep<Machine>& sweep, const Tile<S>& tile, int first, int count) {
    const int l = sweep.plan.last(), n = sweep.width(l - 1), rows = sweep.rows;
    const Dense layer = sweep.plan.layer[l];
    sweep.machine.grid(count, layer.out, [&](int k, int o) {
      const int t = first + k;
      const S *h = tile.h[l - 1] + t * rows * n, *g = tile.outputs + t * rows * layer.out + o;
      S* row = out + t * stride + o;
      row[layer.bias] = g[0];
      for (int i = 0; i < layer.in; ++i) {
        S total = 0;
        for (int r = 0; r < rows; ++r) total += h[r * n + i] * g[r * layer.out];
        row[layer.weight + i * layer.out] = total;
      }
    });
  }
};

}  // namespace physolve
