// What a jet kernel must know besides numbers: the network's shape and which derivatives are asked for.
// Plain data, the same on host and device; no torch anywhere in core/.
#pragma once

#include "qualifiers.h"

namespace physolve {

constexpr int MAX_DIM = 4;
constexpr int MAX_SECOND = MAX_DIM * (MAX_DIM + 1) / 2;
constexpr int MAX_LAYERS = 24;
constexpr int MAX_WIDTH = 128;
constexpr int MAX_BANDS = 12;

enum class Function : int { tanh = 0, sine = 1, gelu = 2 };

// Rows of a jet: the value, then d/dx_i for i in `axis`, then d2/dx_i dx_j for the pairs. A pair is kept as the two
// rows of first derivatives its chain rule needs; `pure` is the axis of a pair (i, i), -1 for a mixed one.
struct Layout {
  int dim = 0, firsts = 0, seconds = 0;
  int axis[MAX_DIM] = {};
  int left[MAX_SECOND] = {}, right[MAX_SECOND] = {}, pure[MAX_SECOND] = {};

  PHYSOLVE_HD int rows() const { return 1 + firsts + seconds; }
};

// One affine map, and where its weight (in x out, row-major) and bias lie in the flat vector of a network's weights.
struct Dense {
  int in = 0, out = 0;
  int weight = 0, bias = 0;
};

// A network: inputs z = (x - center) * slope, Fourier features of them where there are bands, then
//   plain:  h = s(W_0 phi), h = s(W_l h) ..., u = W_last h
//   gated:  U = s(W_0 phi), V = s(W_1 phi), h = s(W_2 phi), then h = s(W_l (U h + V (1 - h))) ..., u = W_last h
// (the multiplicative skips of Wang, Teng and Perdikaris 2021, as HyPINO's target network has them).
struct Plan {
  Layout layout;
  Function function = Function::tanh;
  bool gated = false;
  int dim = 0, bands = 0, layers = 0, weights = 0;
  double center[MAX_DIM] = {}, slope[MAX_DIM] = {};
  double frequency[MAX_BANDS] = {};  // 2 pi b_k
  Dense layer[MAX_LAYERS];

  // Layers that read the features: U, V and h of a gated network, else one.
  PHYSOLVE_HD int heads() const { return gated ? 3 : 1; }
  PHYSOLVE_HD int last() const { return layers - 1; }
  PHYSOLVE_HD int per_axis() const { return 2 * bands + 1; }
  PHYSOLVE_HD int features() const { return dim * per_axis(); }
  PHYSOLVE_HD int outputs() const { return layer[last()].out; }

  // Whether the output of layer l goes through the gates.
  PHYSOLVE_HD bool is_mixed(int l) const { return gated && l + 1 >= heads() && l + 1 < last(); }

  // The kernels keep the features axis by axis (sines, cosines, coordinate), so that a derivative along one axis reads
  // one block; weights keep them as [all sines, all cosines, all coordinates]. Row of the weight for a feature.
  PHYSOLVE_HD int feature_row(int feature) const {
    const int i = feature / per_axis(), f = feature % per_axis();
    if (f < bands) return i * bands + f;
    if (f < 2 * bands) return dim * bands + i * bands + (f - bands);
    return 2 * dim * bands + i;
  }
};

PHYSOLVE_HD int padded(int count, int lanes) { return (count + lanes - 1) / lanes * lanes; }

// Points of a network are cut into equal chunks, each with a gradient sum of its own: about `wanted` in all, no more
// than one for every `shortest` points, and no more than SUMS numbers of sums. How many depends on the work alone, so that
// results do not depend on threads or on the device's size.
constexpr long SUMS = 1L << 25;

PHYSOLVE_HD long chunks_of(long networks, long points, long weights, long wanted, long shortest) {
  const long all = networks > 0 ? networks : 1;
  long chunks = (wanted + all - 1) / all;
  const long by_points = (points + shortest - 1) / shortest, by_memory = SUMS / (all * weights);
  chunks = chunks < by_points ? chunks : by_points;
  chunks = chunks < by_memory ? chunks : by_memory;
  return chunks > 1 ? chunks : 1;
}

PHYSOLVE_HD long host_chunks(long networks, long points, long weights) {
  return chunks_of(networks, points, weights, 64, 480);
}

PHYSOLVE_HD long device_chunks(long networks, long points, long weights) {
  return chunks_of(networks, points, weights, 256, 64);
}

}  // namespace physolve
