// Where weights and a tile lie in one stretch of memory, and the weights' way from the flat vector and back.
#pragma once

#include "sweep.h"

namespace physolve {

// Hands out pieces of a stretch of memory; with a null base it only counts.
template <class S>
struct Arena {
  S* base = nullptr;
  long used = 0;

  PHYSOLVE_HD S* take(int count) {
    S* piece = base ? base + used : nullptr;
    used += padded(count, 64 / int(sizeof(S)));  // whole cache lines
    return piece;
  }
};

template <class S>
PHYSOLVE_HD Packed<S> packed_weights(const Plan& plan, int lanes, Arena<S>& arena) {
  Packed<S> packed{};
  for (int l = 0; l < plan.layers; ++l) {
    const int in = plan.layer[l].in, out = plan.layer[l].out;
    if (l < plan.last()) packed.weight[l] = arena.take(in * padded(out, lanes));
    packed.transposed[l] = arena.take(out * padded(in, lanes));
    packed.bias[l] = arena.take(padded(out, lanes));
  }
  return packed;
}

// What a tile is for besides the jets' way to the outputs.
struct Wanted {
  bool backward = false, to_points = false;
};

template <class S>
PHYSOLVE_HD Tile<S> tile_memory(const Plan& plan, int points, int lanes, Wanted wanted, Arena<S>& arena) {
  Tile<S> tile{};
  const int rows = plan.layout.rows(), features = points * plan.features();
  int kept = 0;
  with_function(plan.function, [&](auto f) { kept = Rule<decltype(f)::value>::kept; });
  tile.f0 = arena.take(features);
  tile.f1 = arena.take(features);
  tile.f2 = arena.take(features);
  int widest = 0;
  for (int l = 0; l < plan.last(); ++l) {
    const int channels = points * padded(plan.layer[l].out, lanes);
    widest = channels > widest ? channels : widest;
  }
  for (int l = 0; l < plan.last(); ++l) {
    const int channels = points * padded(plan.layer[l].out, lanes);
    if (wanted.backward) {
      tile.z[l] = arena.take(rows * channels);
      (plan.is_mixed(l) ? tile.mixed[l + 1] : tile.h[l]) = arena.take(rows * channels);
      if (kept) tile.kept[l] = arena.take(kept * channels);
    } else {  // U, V, and two places in turn
      tile.z[l] = l <= plan.heads() ? arena.take(rows * widest) : tile.z[l - 2];
      tile.h[l] = tile.mixed[l + 1] = tile.z[l];
      if (kept) tile.kept[l] = l == 0 ? arena.take(kept * widest) : tile.kept[0];
    }
  }
  tile.points = arena.take(plan.dim * points);
  tile.outputs = arena.take(rows * points * plan.outputs());
  if (plan.gated) tile.difference = wanted.backward ? arena.take(rows * widest) : tile.h[0];
  if (wanted.backward) tile.g = arena.take(rows * widest);
  if (wanted.backward && plan.gated) {
    tile.to_u = arena.take(rows * widest);
    tile.to_v = arena.take(rows * widest);
  }
  if (wanted.to_points) {
    tile.to_points = arena.take(plan.dim * points);
    tile.feature_cotangent = arena.take(points * padded(plan.features(), lanes));
  }
  return tile;
}

// f(weight index, layer, in, out) for every entry of the weight matrices; in counts as the kernels do.
template <class Machine, class F>
PHYSOLVE_HD void each_weight(const Plan& plan, const Machine& machine, F f) {
  for (int l = 0; l < plan.layers; ++l) {
    const Dense& layer = plan.layer[l];
    machine.grid(layer.in, layer.out, [&](int i, int o) {
      const int row = l < plan.heads() ? plan.feature_row(i) : i;
      f(layer.weight + row * layer.out + o, l, i, o);
    });
  }
}

// Packed weights from the flat ones.
template <class Machine, class S>
PHYSOLVE_HD void pack(const Plan& plan, const Machine& machine, const S* flat, const Packed<S>& packed) {
  constexpr int lanes = Machine::lanes;
  each_weight(plan, machine, [&](int index, int l, int i, int o) {
    const int in = plan.layer[l].in;
    if (l < plan.last()) packed.weight[l][i * padded(plan.layer[l].out, lanes) + o] = flat[index];
    packed.transposed[l][o * padded(in, lanes) + i] = flat[index];
  });
  for (int l = 0; l < plan.layers; ++l) {
    machine.numbers(plan.layer[l].out, [&](int o) { packed.bias[l][o] = flat[plan.layer[l].bias + o]; });
  }
}

// Whether the last layer is the identity.
template <class S>
bool passes_on(const Plan& plan, const S* flat) {
  const Dense& layer = plan.layer[plan.last()];
  if (layer.in != layer.out) return false;
  for (int o = 0; o < layer.out; ++o) {
    if (flat[layer.bias + o] != 0) return false;
    for (int i = 0; i < layer.in; ++i) {
      if (flat[layer.weight + i * layer.out + o] != (i == o)) return false;
    }
  }
  return true;
}

// The flat gradient from the packed sum.
template <class Machine, class S>
PHYSOLVE_HD void unpack(const Plan& plan, const Machine& machine, const Packed<S>& sum, S* flat) {
  constexpr int lanes = Machine::lanes;
  each_weight(plan, machine, [&](int index, int l, int i, int o) {
    flat[index] = l < plan.last() ? sum.weight[l][i * padded(plan.layer[l].out, lanes) + o]
                                  : sum.transposed[l][o * padded(plan.layer[l].in, lanes) + i];
  });
  for (int l = 0; l < plan.layers; ++l) {
    machine.numbers(plan.layer[l].out, [&](int o) { flat[plan.layer[l].bias + o] = sum.bias[l][o]; });
  }
}

}  // namespace physolve
