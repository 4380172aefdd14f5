// Four numbers of one thread, as the jet rules see a vector and as memory likes them best; and two.
#pragma once

#include "machine.h"

namespace physolve {

struct alignas(8) Pair {
  float x = 0, y = 0;
};

struct alignas(16) Four {
  Pair a, b;

  static PHYSOLVE_HD Four of(float v) { return {{v, v}, {v, v}}; }
};

template <class F>
PHYSOLVE_HD Four each(Four p, Four q, F f) {
  return {{f(p.a.x, q.a.x), f(p.a.y, q.a.y)}, {f(p.b.x, q.b.x), f(p.b.y, q.b.y)}};
}

PHYSOLVE_HD Four operator+(Four p, Four q) {
  return each(p, q, [](float v, float w) { return v + w; });
}
PHYSOLVE_HD Four operator-(Four p, Four q) {
  return each(p, q, [](float v, float w) { return v - w; });
}
PHYSOLVE_HD Four operator*(Four p, Four q) {
  return each(p, q, [](float v, float w) { return v * w; });
}
PHYSOLVE_HD Four operator-(Four p) { return each(p, p, [](float v, float) { return -v; }); }
PHYSOLVE_HD Four operator-(float v, Four p) { return Four::of(v) - p; }
PHYSOLVE_HD Four operator-(Four p, float v) { return p - Four::of(v); }
PHYSOLVE_HD Four operator*(float v, Four p) { return Four::of(v) * p; }
PHYSOLVE_HD Four& operator+=(Four& p, Four q) { return p = p + q; }
PHYSOLVE_HD Four& operator-=(Four& p, Four q) { return p = p - q; }

struct FourMath {
  using One = ScalarMath<float>;

  static PHYSOLVE_HD Four tanh(Four v) {
    return each(v, v, [](float w, float) { return One::tanh(w); });
  }

  static PHYSOLVE_HD void sincos(Four v, Four& sine, Four& cosine) {
    each_two(v, sine, cosine, [](float w, float& s, float& c) { One::sincos(w, s, c); });
  }

  static PHYSOLVE_HD void normal(Four v, Four& distribution, Four& density) {
    each_two(v, distribution, density, [](float w, float& s, float& c) { One::normal(w, s, c); });
  }

 private:
  template <class F>
  static PHYSOLVE_HD void each_two(Four v, Four& p, Four& q, F f) {
    f(v.a.x, p.a.x, q.a.x);
    f(v.a.y, p.a.y, q.a.y);
    f(v.b.x, p.b.x, q.b.x);
    f(v.b.y, p.b.y, q.b.y);
  }
};

// Sine and cosine of pi v.
PHYSOLVE_HD void sincospi(float v, float& sine, float& cosine) {
#if defined(__CUDA_ARCH__)
  ::sincospif(v, &sine, &cosine);
#else
  const double angle = 3.14159265358979323846 * std::remainder(double(v), 2.0);
  sine = float(std::sin(angle));
  cosine = float(std::cos(angle));
#endif
}

}  // namespace physolve
