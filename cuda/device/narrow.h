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

// As run_block (block.h); tasks side by side, so that a block packs a network once; `back` for weights' gradients.
template <int tiles, class Known, bool back, class Warp, class Machine>
PHYSOLVE_HD_INLINED void run_narrow_block(const Plan& plan, const Batch<float>& batch, const Job<float>& job, long chunks,
                                          int block, int blocks, const Machine& machine, Warp warp,
                                          const NarrowMemory& memory, float* shared, float* scratch) {
  const int own = machine.thread / 32;
  const NarrowShape shape(plan, tiles);
  float* sums = memory.sums_in(shared, scratch);
  const NarrowSweep<tiles, Known, back, Warp> sweep(plan, shared, memory.jets_of(own, plan, shared, scratch), sums, warp);
  const long all = (batch.points + NARROW_POINTS - 1) / NARROW_POINTS, row_stride = batch.points * plan.outputs();
  const long tasks = batch.networks * chunks, last = tasks * (block + 1) / blocks;
  int packed = -1;
  if (back && own == memory.warps - 1) warp.pass_turn();
  for (long task = tasks * block / blocks; task < last; ++task) {
    const int network = int(task / chunks);
    const long chunk = task % chunks, end = all * (chunk + 1) / chunks;
    if (network != packed) {
      machine.sync();
      pack_narrow(plan, shape, machine, batch.weights + network * long(plan.weights), shared);
      packed = network;
    }
    machine.numbers(memory.sums / 4, [&](int k) { reinterpret_cast<Four*>(sums)[k] = Four{}; });
    machine.sync();
    for (long tile = all * chunk / chunks + own; tile - own < end; tile += memory.warps) {
      const long from = tile * NARROW_POINTS, left = batch.points - from;
      const int count = int(left < NARROW_POINTS ? left : NARROW_POINTS);
      const float* points = batch.points_of(network, plan.dim) + from * plan.dim;
      const long place = network * plan.layout.rows() * row_stride + from * plan.outputs();
      if constexpr (!back) {
        if (tile < end) sweep.forward(points, count, job.jets + place, row_stride);
      } else if (tile < end) {
        sweep.backward(points, count, job.cotangents + place, row_stride);
      } else {
        sweep.pass_turns();
      }
    }
    if constexpr (back) {
      machine.sync();
      unpack_narrow(plan, shape, machine, sums, job.weight_sums + task * plan.weights);
      machine.sync();
    }
  }
  if (back && own == 0) warp.wait_for_turn();
}

}  // namespace physolve
