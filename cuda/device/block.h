// What one block does: the tasks (network, chunk) that fall to it. Its teams share the network's packed weights and take
// the chunk's tiles in turn, each with a tile and a gradient sum of its own.
#pragma once

#include "../core/jobs.h"
#include "machine.h"

namespace physolve {

constexpr int DEVICE_TILE = Quad<float>::size;

// What threads look up all the time. On a device each block has a copy in shared memory.
struct Lookup {
  Plan plan;
  WeightPlaces weights;
  TilePlaces tile;
};

template <class S>
PHYSOLVE_HD Lookup lookup_of(const Plan& plan, const Job<S>& job) {
  return {plan, weight_places<S>(plan, DEVICE_PACKING), tile_places<S>(plan, DEVICE_TILE, DEVICE_PACKING, job.purpose())};
}

// A block's memory: packed weights, a gradient sum of every team (none where no gradient is wanted), a tile of every team.
template <class S>
struct Memory {
  S *weights, *sums, *tiles;
};

template <class S, class TeamBarrier, class BlockBarrier>
PHYSOLVE_HD void run_block(const Lookup& lookup, const Batch<S>& batch, const Job<S>& job, long chunks, int block,
                           int blocks, int team, int teams, const TeamMachine<S, TeamBarrier>& machine,
                           const TeamMachine<S, BlockBarrier>& everyone, const Memory<S>& memory) {
  using Machine = TeamMachine<S, TeamBarrier>;
  const Plan& plan = lookup.plan;
  const int numbers = lookup.weights.numbers;
  const Packed<S> weights{memory.weights, &lookup.weights}, all{memory.sums, &lookup.weights};
  const Tile<S> tile{memory.tiles + team * lookup.tile.numbers, &lookup.tile};
  GradientSum<Machine> sum{{memory.sums + team * numbers, &lookup.weights}};
  Sweep<Machine> sweep(plan, DEVICE_TILE, machine);
  const long tiles = (batch.points + DEVICE_TILE - 1) / DEVICE_TILE;
  everyone.fill(memory.weights, numbers);  // padding must be zero
  for (long task = block; task < batch.networks * chunks; task += blocks) {
    const int network = int(task / chunks);
    const long chunk = task % chunks;
    everyone.sync();
    pack(plan, everyone, batch.weights + network * long(plan.weights), weights);
    if (job.weight_sums) machine.fill(sum.gradient.memory, numbers);
    everyone.sync();
    for (long k = tiles * chunk / chunks + team; k < tiles * (chunk + 1) / chunks; k += teams) {
      const long from = k * DEVICE_TILE, left = batch.points - from;
      run_tile(sweep, batch, job, weights, tile, sum, network, from, int(left < DEVICE_TILE ? left : DEVICE_TILE));
    }
    everyone.sync();
    if (!job.weight_sums) continue;
    everyone.numbers(numbers, [&](int k) {
      for (int t = 1; t < teams; ++t) memory.sums[k] += memory.sums[t * numbers + k];
    });
    everyone.sync();
    unpack(plan, everyone, all, job.weight_sums + task * plan.weights);
  }
}

}  // namespace physolve
