// What one block does: the tasks (network, chunk) that fall to it, tile by tile.
#pragma once

#include "../core/jobs.h"
#include "machine.h"

namespace physolve {

constexpr int DEVICE_TILE = 32;

// Numbers of memory a block needs: for packed weights, and for the gradient sum and the tile.
template <class S>
PHYSOLVE_HD long weight_numbers(const Plan& plan) {
  Arena<S> arena;
  packed_weights(plan, 1, arena);
  return arena.used;
}

template <class S>
PHYSOLVE_HD long tile_numbers(const Plan& plan, Wanted wanted) {
  Arena<S> arena;
  packed_weights(plan, 1, arena);
  tile_memory(plan, DEVICE_TILE, 1, wanted, arena);
  return arena.used;
}

template <class S, class Barrier>
PHYSOLVE_HD void run_block(const Plan& plan, const Batch<S>& batch, const Job<S>& job, long chunks, int block,
                           int blocks, const BlockMachine<S, Barrier>& machine, S* weight_memory, S* tile_memory_) {
  using Machine = BlockMachine<S, Barrier>;
  Arena<S> for_weights{weight_memory}, for_tile{tile_memory_};
  const Packed<S> weights = packed_weights(plan, 1, for_weights);
  GradientSum<Machine> sum{packed_weights(plan, 1, for_tile)};
  const int sum_numbers = int(for_tile.used);
  const Tile<S> tile = tile_memory(plan, DEVICE_TILE, 1, job.wanted(), for_tile);
  Sweep<Machine> sweep(plan, DEVICE_TILE, machine);
  const long tiles = (batch.points + DEVICE_TILE - 1) / DEVICE_TILE;
  for (long task = block; task < batch.networks * chunks; task += blocks) {
    const int network = int(task / chunks);
    const long chunk = task % chunks;
    pack(plan, machine, batch.weights + network * long(plan.weights), weights);
    machine.fill(tile_memory_, sum_numbers);
    machine.sync();
    for (long k = tiles * chunk / chunks; k < tiles * (chunk + 1) / chunks; ++k) {
      const long from = k * DEVICE_TILE, left = batch.points - from;
      run_tile(sweep, batch, job, weights, tile, sum, network, from, int(left < DEVICE_TILE ? left : DEVICE_TILE));
    }
    if (job.weight_sums) unpack(plan, machine, sum.gradient, job.weight_sums + task * plan.weights);
    machine.sync();
  }
}

}  // namespace physolve
