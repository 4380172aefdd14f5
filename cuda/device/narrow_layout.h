// Where a narrow network (narrow_sweep.h) lies: weights in the shared memory of a block, jets, the sums of the gradient.
//
// Weights are tiles of 8 inputs x 8 outputs, their lines in an order (`line_of`) in which neither a tile nor its transpose
// makes lanes wait for one memory bank; for networks of at most 32 channels each is two tiles, the parts of
// its numbers that tensor cores want (warp.h). A gradient is summed as fragments.
#pragma once

#include "../core/jobs.h"
#include "four.h"
#include "warp.h"

namespace physolve {

constexpr int NARROW_POINTS = 8;  // of a warp

// Of a block, the only one of its processor: two warps a scheduler have 255 registers a thread, four have 128.
PHYSOLVE_HD constexpr int most_warps(int tiles, bool back) { return back || tiles > 4 ? 8 : 16; }

// Of a thread's 255 or 128 registers, for sums of products.
PHYSOLVE_HD constexpr int sum_registers(int tiles, bool back) { return most_warps(tiles, back) == 8 ? 128 : 96; }

constexpr int CELL = 64;  // numbers of a tile of channels in one row

// Tiles that hold a tile of weights.
PHYSOLVE_HD constexpr int weight_parts(int tiles) { return tiles == 4 ? 2 : 1; }

// Line of an input in a tile of weights: the even ones differ modulo 4, so do the odd ones, the first four and the last.
PHYSOLVE_HD int line_of(int input) { return input % 2 ? 4 + ((input / 2) ^ 2) : input / 2; }
PHYSOLVE_HD int input_of(int line) { return line < 4 ? 2 * line : 2 * ((line - 4) ^ 2) + 1; }

// Two features side by side: sin(pi turns z) and cos(pi turns z), or z of two coordinates; z = (x - center) scale along
// `axis`, -1 where there is none, rate = d(pi turns z) / dx. What stands behind the last feature meets weights of zero.
struct alignas(16) FeaturePair {
  float center[2] = {}, scale[2] = {}, turns = 0, rate = 0;
  int axis[2] = {-1, -1};

  PHYSOLVE_HD bool is_wave() const { return axis[0] == axis[1]; }
};

PHYSOLVE_HD FeaturePair feature_pair(const Plan& plan, int p) {
  FeaturePair pair;
  const int waves = plan.dim * plan.bands;
  for (int e = 0; e < 2; ++e) {
    const int axis = p < waves ? p / plan.bands : 2 * (p - waves) + e;
    if (axis >= plan.dim) continue;
    pair.axis[e] = axis;
    pair.center[e] = float(plan.center[axis]);
    pair.scale[e] = float(plan.slope[axis]);
  }
  if (p < waves) {
    pair.turns = float(plan.frequency[p % plan.bands] / 3.14159265358979323846);
    pair.rate = float(plan.frequency[p % plan.bands] * plan.slope[pair.axis[0]]);
  }
  return pair;
}

// Features go by such pairs, then the coordinates. Row of the weight for feature k.
PHYSOLVE_HD int narrow_feature_row(const Plan& plan, int k) {
  const int waves = plan.dim * plan.bands;
  return k < 2 * waves ? k / 2 + k % 2 * waves : k;
}

PHYSOLVE_HD int narrow_row(const Plan& plan, int l, int input) {
  return l < plan.heads() ? narrow_feature_row(plan, input) : input;
}

// How a network lies in memory: inputs of the heads, of other layers and outputs in tiles of 8; features behind them.
struct NarrowShape {
  int tiles, head_tiles, last_tiles, heads, last;

  PHYSOLVE_HD NarrowShape(const Plan& plan, int tiles)
      : tiles(tiles),
        head_tiles((plan.features() + 7) / 8),
        last_tiles(plan.outputs() <= 8 ? 1 : tiles),
        heads(plan.heads()),
        last(plan.last()) {}

  PHYSOLVE_HD int in_tiles(int l) const { return l < heads ? head_tiles : tiles; }
  PHYSOLVE_HD int out_tiles(int l) const { return l < last ? tiles : last_tiles; }

  // Numbers before layer l: weights and biases; sums of the gradient, of sixteen inputs each, and of biases.
  PHYSOLVE_HD int weights_before(int l) const {
    const int in_heads = (l < heads ? l : heads) * head_tiles, rest = l > heads ? (l - heads) * tiles : 0;
    return (in_heads + rest) * tiles * weight_parts(tiles) * CELL + l * tiles * 8;
  }
  PHYSOLVE_HD int sums_before(int l) const {
    const int in_heads = (l < heads ? l : heads) * ((head_tiles + 1) / 2), rest = l > heads ? (l - heads) * (tiles / 2) : 0;
    return (in_heads + rest) * 2 * tiles * CELL + l * tiles * 8;
  }
  PHYSOLVE_HD int bias_of(int l) const {
    return weights_before(l) + in_tiles(l) * out_tiles(l) * weight_parts(tiles) * CELL;
  }
  PHYSOLVE_HD int bias_sum_of(int l) const { return sums_before(l) + (in_tiles(l) + 1) / 2 * 2 * out_tiles(l) * CELL; }
  PHYSOLVE_HD int features_at() const { return bias_of(last) + last_tiles * 8; }
  PHYSOLVE_HD int weights() const { return features_at() + head_tiles * 4 * int(sizeof(FeaturePair) / sizeof(float)); }
  PHYSOLVE_HD int sums() const { return bias_sum_of(last) + last_tiles * 8; }
};

// A warp's jets: x, y; U - V and V where there are gates; z of every layer for `back`, in whose places the cotangents of U
// and V follow. The first `fast` of them lie in shared memory, the others in scratch: first come those used most.
struct NarrowJets {
  float *shared, *scratch;
  int fast, numbers, last;
  bool gated, back;

  PHYSOLVE_HD float* operator[](int k) const { return k < fast ? shared + k * numbers : scratch + (k - fast) * numbers; }
  PHYSOLVE_HD float* x() const { return shared; }
  PHYSOLVE_HD float* y() const { return shared + numbers; }
  PHYSOLVE_HD float* difference() const { return (*this)[2]; }
  PHYSOLVE_HD float* v() const { return (*this)[back ? 5 : 3]; }
  PHYSOLVE_HD float* kept(int l) const { return (*this)[!gated ? 2 + l : l < last - 2 ? 6 + l : 2 + last - l]; }
  PHYSOLVE_HD float* to_u() const { return kept(last - 1); }  // the last hidden layer has gone back before
  PHYSOLVE_HD float* to_v() const { return kept(last - 2); }  // so has this one, once the first cotangent of V is known

  static PHYSOLVE_HD int count(const Plan& plan, bool back) { return (plan.gated ? 4 : 2) + (back ? plan.last() : 0); }
};

// A block's memory: its warps; numbers of its weights and sums, these among the `shared` where they are `near`, else in
// scratch; numbers of a jet; a warp's jets in shared memory and in scratch.
struct NarrowMemory {
  int warps, weights, sums, jet, fast, slow;
  bool near;

  // Of the jets as many in shared memory as fit into `room` numbers, but x and y in any case.
  PHYSOLVE_HD NarrowMemory(const Plan& plan, int tiles, bool back, int warps, bool near, long room)
      : warps(warps), near(near) {
    const NarrowShape shape(plan, tiles);
    weights = shape.weights();
    sums = back ? shape.sums() : 0;
    jet = tiles * plan.layout.rows() * CELL;
    const int wanted = NarrowJets::count(plan, back);
    const long places = (room - before_jets()) / (long(jet) * warps);
    fast = places < 2 ? 2 : places < wanted ? int(places) : wanted;
    slow = wanted - fast;
  }

  PHYSOLVE_HD int threads() const { return 32 * warps; }
  PHYSOLVE_HD int before_jets() const { return weights + (near ? sums : 0); }
  PHYSOLVE_HD long shared() const { return before_jets() + long(warps) * fast * jet; }
  PHYSOLVE_HD long scratch() const { return (near ? 0 : sums) + long(warps) * slow * jet; }

  PHYSOLVE_HD float* sums_in(float* shared, float* scratch) const { return near ? shared + weights : scratch; }
  PHYSOLVE_HD NarrowJets jets_of(int warp, const Plan& plan, float* shared, float* scratch) const {
    return {shared + before_jets() + long(warp) * fast * jet, scratch + (near ? 0 : sums) + long(warp) * slow * jet,
            fast, jet, plan.last(), plan.gated, sums > 0};
  }
};

// A network's weights as tiles, padded with zeros, by all threads.
template <class Machine>
PHYSOLVE_HD void pack_narrow(const Plan& plan, const NarrowShape& shape, const Machine& machine, const float* flat,
                             float* packed) {
  const int parts = weight_parts(shape.tiles);
  for (int l = 0; l < plan.layers; ++l) {
    const Dense& layer = plan.layer[l];
    const int across = shape.out_tiles(l);
    float* tiles = packed + shape.weights_before(l);
    machine.numbers(shape.in_tiles(l) * across * CELL, [&](int k) {
      const int tile = k / CELL, i = tile / across * 8 + input_of(k % CELL / 8), o = tile % across * 8 + k % 8;
      const bool there = i < layer.in && o < layer.out;
      const float value = there ? flat[layer.weight + narrow_row(plan, l, i) * layer.out + o] : 0.0f;
      float* to = tiles + tile * parts * CELL + k % CELL;
      to[0] = parts == 1 ? value : to_tf32(value);
      if (parts == 2) to[CELL] = value - to[0];
    });
    float* bias = packed + shape.bias_of(l);
    machine.numbers(across * 8, [&](int o) { bias[o] = o < layer.out ? flat[layer.bias + o] : 0.0f; });
  }
  auto* features = reinterpret_cast<FeaturePair*>(packed + shape.features_at());
  machine.numbers(shape.head_tiles * 4, [&](int p) { features[p] = feature_pair(plan, p); });
}

// The flat gradient from the sums, by all threads.
template <class Machine>
PHYSOLVE_HD void unpack_narrow(const Plan& plan, const NarrowShape& shape, const Machine& machine, const float* sums,
                               float* flat) {
  for (int l = 0; l < plan.layers; ++l) {
    const Dense& layer = plan.layer[l];
    const int across = shape.out_tiles(l);
    const float *from = sums + shape.sums_before(l), *bias = sums + shape.bias_sum_of(l);
    machine.numbers((shape.in_tiles(l) + 1) / 2 * across * 2 * CELL, [&](int k) {
      const int fragment = k / (2 * CELL), lane = k / 4 % 32, c = k % 4;
      const int i = fragment / across * 16 + lane / 4 + c / 2 * 8, o = fragment % across * 8 + lane % 4 * 2 + c % 2;
      if (i < layer.in && o < layer.out) flat[layer.weight + narrow_row(plan, l, i) * layer.out + o] = from[k];
    });
    machine.numbers(layer.out, [&](int o) { flat[layer.bias + o] = bias[o]; });
  }
}

}  // namespace physolve
