// Two numbers of one thread, as the jet rules see a vector; and four, as memory likes them best.
#pragma once

#include "machine.h"

namespace physolve {

struct alignas(8) Pair {
  float x = 0, y = 0;
};

PHYSOLVE_HD Pair operator+(Pair a, Pair b) { return {a.x + b.x, a.y + b.y}; }
PHYSOLVE_HD Pair operator-(Pair a, Pair b) { return {a.x - b.x, a.y - b.y}; }
PHYSOLVE_HD Pair operator*(Pair a, Pair b) { return {a.x * b.x, a.y * b.y}; }
PHYSOLVE_HD Pair operator-(Pair a) { return {-a.x, -a.y}; }
PHYSOLVE_HD Pair operator+(float a, Pair b) { return {a + b.x, a + b.y}; }
PHYSOLVE_HD Pair operator-(float a, Pair b) { return {a - b.x, a - b.y}; }
PHYSOLVE_HD Pair operator-(Pair a, float b) { return {a.x - b, a.y - b}; }
PHYSOLVE_HD Pair operator*(float a, Pair b) { return {a * b.x, a * b.y}; }
PHYSOLVE_HD Pair& operator+=(Pair& a, Pair b) { return a = a + b; }
PHYSOLVE_HD Pair& operator-=(Pair& a, Pair b) { return a = a - b; }

struct alignas(16) Four {
  float value[4] = {};
};

PHYSOLVE_HD Four operator+(Four a, const float (&b)[4]) {
  return {{a.value[0] + b[0], a.value[1] + b[1], a.value[2] + b[2], a.value[3] + b[3]}};
}

// Sine and cosine of pi v.
PHYSOLVE_HD void sincospi(float v, float& sine, float& cosine) {
#if defined(__CUDA_ARCH__)
  ::sincospif(v, &sine, &cosine);
#else
  const double turn = 3.14159265358979323846 * std::remainder(double(v), 2.0);
  sine = float(std::sin(turn));
  cosine = float(std::cos(turn));
#endif
}

struct PairMath {
  using One = ScalarMath<float>;

  static PHYSOLVE_HD Pair tanh(Pair v) { return {One::tanh(v.x), One::tanh(v.y)}; }

  static PHYSOLVE_HD void sincos(Pair v, Pair& sine, Pair& cosine) {
    One::sincos(v.x, sine.x, cosine.x);
    One::sincos(v.y, sine.y, cosine.y);
  }

  static PHYSOLVE_HD void normal(Pair v, Pair& distribution, Pair& density) {
    One::normal(v.x, distribution.x, density.x);
    One::normal(v.y, distribution.y, density.y);
  }
};

}  // namespace physolve
