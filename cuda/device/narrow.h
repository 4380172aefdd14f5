// What one block does with narrow networks: the tasks (network, chunk) that fall to it, a tile of points a warp.
#pragma once

#include "narrow_sweep.h"

namespace physolve {

// Tiles of channels that the job takes as one on narrow networks, 0 where it is none.
PHYSOLVE_HD_INLINED int narrow_tiles(const Plan& plan, const Job<float>& job) {
  if (job.point_rows || job.point_gradients) return 0;
  int widest = plan.features();
  for (int l = 0; l < plan.layers; ++l) widest = plan.layer[l].out > widest ? plan.layer[l].out : widest;
  return widest <= 32 ? 4 : widest <= 64 ? 8 : 0;
}

// As run_block (block.h), for NARROW_WARPS warps.
template <int tiles, class Known, class Warp, class Machine>
PHYSOLVE_HD_INLINED void run_narrow_block(const Plan& plan, const Batch<float>& batch, const Job<float>& job, long chunks,
                                          int block, int blocks, const Machine& machine, Warp warp,
                                          const NarrowMemory& memory, float* shared, float* scratch) {
  const int own = machine.thread / 32;
  const NarrowShape shape(plan, tiles);
  float *sums = scratch, *slow = scratch + memory.sums + long(own) * memory.slow * memory.jet;
  const NarrowJets jets{shared + memory.weights, slow, own, memory.fast, memory.jet, plan.last(), plan.gated};
  const NarrowSweep<tiles, Known, Warp, Machine> sweep(plan, shared, jets, warp, machine);
  const long all = (batch.points + NARROW_POINTS - 1) / NARROW_POINTS, row_stride = batch.points * plan.outputs();
  for (long task = block; task < batch.networks * chunks; task += blocks) {
    const int network = int(task / chunks);
    const long chunk = task % chunks, end = all * (chunk + 1) / chunks;
    pack_narrow(plan, shape, machine, batch.weights + network * long(plan.weights), shared);
    machine.numbers(memory.sums / 4, [&](int k) { reinterpret_cast<Four*>(sums)[k] = Four{}; });
    machine.sync();
    for (long k = all * chunk / chunks; k < end; k += NARROW_WARPS) {
      const long tile = k + own < end ? k + own : end - 1, from = tile * NARROW_POINTS, left = batch.points - from;
      const int count = k + own < end ? int(left < NARROW_POINTS ? left : NARROW_POINTS) : 0;
      const float* points = batch.points_of(network, plan.dim) + from * plan.dim;
      const long place = network * plan.layout.rows() * row_stride + from * plan.outputs();
      if (job.jets) {
        if (count > 0) sweep.forward(points, count, job.jets + place, row_stride);
      } else {
        sweep.backward(points, count, job.cotangents + place, row_stride, sums);
      }
    }
    if (job.weight_sums) unpack_narrow(plan, shape, machine, sums, job.weight_sums + task * plan.weights);
    machine.sync();
  }
}

}  // namespace physolve
