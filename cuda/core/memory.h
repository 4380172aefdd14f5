// Where weights and a tile lie in one stretch of memory, and the weights' way from the flat vector and back.
#pragma once

#include "sweep.h"

namespace physolve {

// Hands out places for numbers of type S, in whole cache lines.
template <class S>
struct Stretch {
  int used = 0;

  PHYSOLVE_HD int take(int count) {
    const int place = used;
    used += padded(count, 64 / int(sizeof(S)));
    return place;
  }
};

template <class S>
PHYSOLVE_HD WeightPlaces weight_places(const Plan& plan, Packing packing) {
  const int lanes = packing.lanes;
  Stretch<S> stretch;
  WeightPlaces places{};
  for (int l = 0; l < plan.layers; ++l) {
    const int in = plan.layer[l].in, out = plan.layer[l].out;
    if (l < plan.last()) places.weight[l] = stretch.take(padded(in, lanes) * packing.row(out));
    if (l == plan.last() || packing.both) places.transposed[l] = stretch.take(out * padded(in, lanes));
    places.bias[l] = stretch.take(padded(out, lanes));
  }
  places.numbers = stretch.used;
  return places;
}

// What a sweep is for: a backward one needs memory for cotangents, gradients in the points some more.
struct Purpose {
  bool backward = false, to_points = false;
};

template <class S>
PHYSOLVE_HD TilePlaces tile_places(const Plan& plan, int points, Packing packing, Purpose purpose) {
  const int rows = plan.layout.rows(), features = points * plan.features(), lanes = packing.lanes;
  const int kept = plan.function == Function::tanh ? 0 : plan.function == Function::sine ? 1 : 2;
  Stretch<S> stretch;
  TilePlaces places{};
  places.f0 = stretch.take(features);
  places.f1 = stretch.take(features);
  places.f2 = stretch.take(features);
  int widest = 0;
  for (int l = 0; l < plan.last(); ++l) {
    const int channels = points * padded(plan.layer[l].out, lanes);
    widest = channels > widest ? channels : widest;
    places.z[l] = stretch.take(rows * channels);
    places.h[l] = stretch.take(rows * channels);
    if (kept) places.kept[l] = stretch.take(kept * channels);
    if (plan.gated && l >= plan.heads()) places.mixed[l] = stretch.take(rows * channels);
  }
  if (purpose.backward) places.g = stretch.take(rows * widest);
  if (plan.gated) places.difference = stretch.take(rows * widest);
  if (plan.gated && purpose.backward) {
    places.to_u = stretch.take(rows * widest);
    places.to_v = stretch.take(rows * widest);
  }
  places.points = stretch.take(plan.dim * points);
  places.outputs = stretch.take(rows * points * plan.outputs());
  places.to_points = -1;
  if (purpose.to_points) {
    places.to_points = stretch.take(plan.dim * points);
    places.feature_cotangent = stretch.take(points * padded(plan.features(), lanes));
  }
  places.numbers = stretch.used;
  return places;
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
  constexpr Packing packing = Machine::packing;
  each_weight(plan, machine, [&](int index, int l, int i, int o) {
    const Dense& layer = plan.layer[l];
    if (l < plan.last()) packed.weight(l)[i * packing.row(layer.out) + o] = flat[index];
    if (packing.both || l == plan.last()) packed.transposed(l)[o * padded(layer.in, packing.lanes) + i] = flat[index];
  });
  for (int l = 0; l < plan.layers; ++l) {
    machine.numbers(plan.layer[l].out, [&](int o) { packed.bias(l)[o] = flat[plan.layer[l].bias + o]; });
  }
}

// The flat gradient from the packed sum.
template <class Machine, class S>
PHYSOLVE_HD void unpack(const Plan& plan, const Machine& machine, const Packed<S>& sum, S* flat) {
  constexpr Packing packing = Machine::packing;
  each_weight(plan, machine, [&](int index, int l, int i, int o) {
    const Dense& layer = plan.layer[l];
    flat[index] = l < plan.last() ? sum.weight(l)[i * packing.row(layer.out) + o]
                                  : sum.transposed(l)[o * padded(layer.in, packing.lanes) + i];
  });
  for (int l = 0; l < plan.layers; ++l) {
    machine.numbers(plan.layer[l].out, [&](int o) { flat[plan.layer[l].bias + o] = sum.bias(l)[o]; });
  }
}

}  // namespace physolve
