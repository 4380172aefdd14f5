// The three operations on a whole batch, as jobs that a machine runs tile by tile.
#pragma once

#include "memory.h"
#include "sinks.h"

namespace physolve {

// `networks` networks at `points` points each: points (networks, points, dim), or (points, dim) shared by all where
// shared; weights (networks, plan.weights).
template <class S>
struct Batch {
  int networks = 0;
  long points = 0;
  bool shared = false;
  const S* x = nullptr;
  const S* weights = nullptr;

  PHYSOLVE_HD const S* points_of(int network, int dim) const { return x + (shared ? 0 : network * points * dim); }
};

// What is asked: jets out; gradients from their cotangents; or Jacobian rows from the coefficients of each point's jet.
template <class S>
struct Job {
  S* jets = nullptr;               // (networks, rows, points, outputs), written
  const S* cotangents = nullptr;   // the same, read; points' rows hold coefficients for the Jacobian
  S* weight_sums = nullptr;        // (networks, chunks, weights), written
  S* point_gradients = nullptr;    // (networks, points, dim), written
  S* point_rows = nullptr;         // (networks, points, weights), written, rows `row_stride` apart
  long row_stride = 0;

  PHYSOLVE_HD Wanted wanted() const { return {jets == nullptr, point_gradients != nullptr}; }
};

template <class Machine>
PHYSOLVE_HD void load_points(const Plan& plan, const Batch<typename Machine::Scalar>& batch, int network, long from,
                             int count, int T, const Tile<typename Machine::Scalar>& tile, const Machine& machine) {
  const auto* x = batch.points_of(network, plan.dim);
  machine.grid(plan.dim, T, [&](int axis, int t) {
    // A short tile repeats its last point, whose cotangent is zero there.
    tile.points[axis * T + t] = x[(from + (t < count ? t : count - 1)) * plan.dim + axis];
  });
  machine.sync();
}

// [point][row][output] of the tile, points' rows `stride` apart <-> [row][point][output] of the batch: f(place in the
// tile, whether a point is there, place in the batch).
template <class Machine, class F>
PHYSOLVE_HD void each_output(const Plan& plan, int stride, long points, int network, long from, int count, int T,
                             const Machine& machine, F f) {
  const int outputs = plan.outputs(), rows = plan.layout.rows();
  machine.grid(rows, T, [&](int r, int t) {
    for (int o = 0; o < outputs; ++o) {
      f((t * rows + r) * stride + o, t < count, ((long(network) * rows + r) * points + from + t) * outputs + o);
    }
  });
}

// One tile: points [from, from + count) of a network. `sum` is where weight gradients are added.
template <class Machine>
PHYSOLVE_HD void run_tile(Sweep<Machine>& sweep, const Batch<typename Machine::Scalar>& batch,
                          const Job<typename Machine::Scalar>& job, const Packed<typename Machine::Scalar>& weights,
                          const Tile<typename Machine::Scalar>& tile, GradientSum<Machine>& sum, int network, long from,
                          int count) {
  using S = typename Machine::Scalar;
  const Plan& plan = sweep.plan;
  const Machine& machine = sweep.machine;
  const int T = sweep.T;
  load_points(plan, batch, network, from, count, T, tile, machine);
  sweep.forward(weights, tile);
  if (job.jets) {
    const Block<const S> jet = sweep.outputs_from(weights, tile);
    each_output(plan, jet.row, batch.points, network, from, count, T, machine, [&](int k, bool there, long index) {
      if (there) job.jets[index] = jet.p[k];
    });
    machine.sync();
    return;
  }
  each_output(plan, plan.outputs(), batch.points, network, from, count, T, machine, [&](int k, bool there, long index) {
    tile.outputs[k] = there ? job.cotangents[index] : S(0);
  });
  machine.sync();
  if (job.point_rows) {
    const long stride = job.row_stride;
    PointRows<Machine> rows{job.point_rows + (network * batch.points + from) * stride, stride, count};
    sweep.backward(weights, tile, rows);
  } else {
    sweep.backward(weights, tile, sum);
  }
  machine.sync();
  if (!tile.to_points) return;
  S* to = job.point_gradients + (network * batch.points + from) * plan.dim;
  machine.numbers(count * plan.dim, [&](int k) { to[k] = tile.to_points[k % plan.dim * T + k / plan.dim]; });
  machine.sync();
}

}  // namespace physolve
