// Where a backward sweep leaves the gradient in the weights: summed over points, or one row a point.
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

  PHYSOLVE_HD void dense(Sweep<Machine>& sweep, const Tile<S>& tile, int l, const S* g) {
    const int n = sweep.width(l);
    sweep.machine.product(sweep.plan.layer[l].in, n, sweep.rows * sweep.T,
                          Block<const S>{sweep.input(tile, l), 1, sweep.width(l - 1)}, Block<const S>{g, n},
                          Block<S>{gradient.weight[l], n}, true);
    add_bias(sweep, l, g);
  }

  PHYSOLVE_HD void head(Sweep<Machine>& sweep, const Tile<S>& tile, int l, const S* g) {
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

// The gradient of every point as a row of flat weights, `stride` apart: rows of a Gauss-Newton Jacobian.
template <class Machine>
struct PointRows {
  using S = typename Machine::Scalar;
  using L = typename Machine::Lane;
  S* out;
  long stride;
  int points;  // of the tile's points, those that are wanted

  PHYSOLVE_HD void last(Sweep<Machine>& sweep, const Tile<S>& tile) {
    const int l = sweep.plan.last(), n = sweep.width(l - 1), rows = sweep.rows;
    const Dense layer = sweep.plan.layer[l];
    sweep.machine.grid(points, layer.out, [&](int t, int o) {
      S* row = out + t * stride + o;
      row[layer.bias] = tile.outputs[t * rows * layer.out + o];
      for (int i = 0; i < layer.in; ++i) {
        S total = 0;
        for (int r = 0; r < rows; ++r) {
          total += tile.h[l - 1][(t * rows + r) * n + i] * tile.outputs[(t * rows + r) * layer.out + o];
        }
        row[layer.weight + i * layer.out] = total;
      }
    });
  }

  PHYSOLVE_HD void dense(Sweep<Machine>& sweep, const Tile<S>& tile, int l, const S* g) {
    const int n = sweep.width(l), before = sweep.width(l - 1), rows = sweep.rows;
    const S* a = sweep.input(tile, l);
    const Dense layer = sweep.plan.layer[l];
    sweep.machine.outer(
        points, layer.in, layer.out, [&](int t, int i) { return out + t * stride + layer.weight + i * layer.out; },
        [&](int t, int i, int channel) {
          L total = at<L>(g + t * rows * n + channel, 0, 0) * a[t * rows * before + i];
          for (int r = 1; r < rows; ++r) {
            total += at<L>(g + t * rows * n + channel, r, n) * a[(t * rows + r) * before + i];
          }
          return total;
        });
    biases(sweep, l, g);
  }

  PHYSOLVE_HD void head(Sweep<Machine>& sweep, const Tile<S>& tile, int l, const S* g) {
    const int n = sweep.width(l), T = sweep.T, rows = sweep.rows;
    const Dense layer = sweep.plan.layer[l];
    sweep.machine.outer(
        points, layer.in, layer.out,
        [&](int t, int i) { return out + t * stride + layer.weight + sweep.plan.feature_row(i) * layer.out; },
        [&](int t, int i, int channel) {
          const int axis = i / sweep.plan.per_axis();
          L total = at<L>(g + t * rows * n + channel, 0, 0) * tile.f0[i * T + t];
          for (int r = 1; r < rows; ++r) {
            if (sweep.axis_of(r) != axis) continue;
            total += at<L>(g + t * rows * n + channel, r, n) * sweep.features_of(tile, r)[i * T + t];
          }
          return total;
        });
    biases(sweep, l, g);
  }

 private:
  PHYSOLVE_HD void biases(Sweep<Machine>& sweep, int l, const S* g) {
    const Dense layer = sweep.plan.layer[l];
    const int n = sweep.width(l);
    sweep.machine.outer(
        points, 1, layer.out, [&](int t, int) { return out + t * stride + layer.bias; },
        [&](int t, int, int channel) { return at<L>(g + t * sweep.rows * n + channel, 0, 0); });
  }
};

}  // namespace physolve
