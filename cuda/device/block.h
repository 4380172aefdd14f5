// What one block does: the tasks (network, chunk) that fall to it. Its teams share the network's packed weights and take
// the chunk's tiles in turn, each with a tile and a gradient sum of its own.
#pragma once

#include "../core/jobs.h"
#include "machine.h"

namespace physolve {

constexpr int DEVICE_TILE = Quad<float>::size;

// Numbers of memory: packed weights, a block's; a gradient sum and a tile, each team's.
struct Needs {
  long weights = 0, sum = 0, tile = 0;
};

template <class S>
PHYSOLVE_HD Needs needs_of(const Plan& plan, const Job<S>& job) {
  constexpr Packing packing{Quad<S>::size, Quad<S>::size, false};
  Arena<S> weights, tile;
  packed_weights(plan, packing, weights);
  tile_memory(plan, DEVICE_TILE, packing.lanes, job.purpose(), tile);
  return {weights.used, job.weight_sums ? weights.used : 0, tile.used};
}

// Where these lie: `sums` and `tiles` are those of the first team, the next ones follow.
template <class S>
struct Places {
  S *weights, *sums, *tiles;
  Needs needs;
};

template <class S, class TeamBarrier, class BlockBarrier>
PHYSOLVE_HD void run_block(const Plan& plan, const Batch<S>& batch, const Job<S>& job, long chunks, int block,
                           int blocks, int team, int teams, const TeamMachine<S, TeamBarrier>& machine,
                           const TeamMachine<S, BlockBarrier>& everyone, const Places<S>& places) {
  using Machine = TeamMachine<S, TeamBarrier>;
  const Needs& needs = places.needs;
  Arena<S> for_weights{places.weights}, for_sum{places.sums + team * needs.sum}, for_tile{places.tiles + team * needs.tile};
  const Packed<S> weights = packed_weights(plan, Machine::packing, for_weights);
  GradientSum<Machine> sum{packed_weights(plan, Machine::packing, for_sum)};
  const Tile<S> tile = tile_memory(plan, DEVICE_TILE, Machine::packing.lanes, job.purpose(), for_tile);
  Sweep<Machine> sweep(plan, DEVICE_TILE, machine);
  const long tiles = (batch.points + DEVICE_TILE - 1) / DEVICE_TILE;
  everyone.fill(places.weights, int(needs.weights));  // padding must be zero
  for (long task = block; task < batch.networks * chunks; task += blocks) {
    const int network = int(task / chunks);
    const long chunk = task % chunks;
    everyone.sync();
    pack(plan, everyone, batch.weights + network * long(plan.weights), weights);
    machine.fill(places.sums + team * needs.sum, int(needs.sum));
    everyone.sync();
    for (long k = tiles * chunk / chunks + team; k < tiles * (chunk + 1) / chunks; k += teams) {
      const long from = k * DEVICE_TILE, left = batch.points - from;
      run_tile(sweep, batch, job, weights, tile, sum, network, from, int(left < DEVICE_TILE ? left : DEVICE_TILE));
    }
    everyone.sync();
    if (!job.weight_sums) continue;
    everyone.numbers(int(needs.sum), [&](int k) {
      for (int t = 1; t < teams; ++t) places.sums[k] += places.sums[t * needs.sum + k];
    });
    everyone.sync();
    Arena<S> first{places.sums};
    unpack(plan, everyone, packed_weights(plan, Machine::packing, first), job.weight_sums + task * plan.weights);
  }
}

}  // namespace physolve
