// The host's vectors for attention: registers, and single numbers where heads do not fit them.
#pragma once

#include <cmath>

#include "vector.h"

namespace physolve {

template <class S>
struct VectorLanes {
  using Scalar = S;
  using Lane = Vector<S>;
  using Order = typename VectorMath<S>::Integers;
  static constexpr int lanes = lanes_of<S>;

  static inline Lane load(const S* p) {
    Lane value;
    std::memcpy(&value, p, sizeof(value));
    return value;
  }

  static inline void store(S* p, Lane value) { std::memcpy(p, &value, sizeof(value)); }

  static inline Lane spread(const S* p, int heads) {
    Lane value;
    for (int i = 0; i < lanes; ++i) value[i] = p[i & (heads - 1)];
    return value;
  }

  static inline Lane spread_padded(const S* p, int heads) {
#if defined(__clang__)
    return spread(p, heads);
#else
    return __builtin_shuffle(load(p), count() & typename VectorMath<S>::Bits(heads - 1));
#endif
  }

  static inline void keep(S* p, Lane value, int count) {
    for (int i = 0; i < count; ++i) p[i] = value[i];
  }

  static inline Lane fold(Lane v, int heads) {
#if defined(__clang__)
    Lane sum = v;
    for (int i = 0; i < lanes; ++i) {
      for (int j = heads; j < lanes; j += heads) sum[i] += v[(i + j) % lanes];
    }
    return sum;
#else
#pragma GCC unroll 8
    for (int half = lanes / 2; half > 0; half /= 2) {
      if (half >= heads) v += __builtin_shuffle(v, count() ^ typename VectorMath<S>::Bits(half));
    }
    return v;
#endif
  }

  static inline Lane exp(Lane v) { return VectorMath<S>::exp(v); }
  static inline Lane larger(Lane a, Lane b) { return a < b ? b : a; }

  static inline void fetch(const S* p, int count) {
    for (int i = 0; i < count; i += 64 / int(sizeof(S))) __builtin_prefetch(p + i);
  }

 private:
  static inline Order count() {
    Order order;
    for (int i = 0; i < lanes; ++i) order[i] = i;
    return order;
  }
};

template <class S>
struct OneLane {
  using Scalar = S;
  using Lane = S;
  static constexpr int lanes = 1;

  static inline S load(const S* p) { return *p; }
  static inline void store(S* p, S value) { *p = value; }
  static inline S spread(const S* p, int) { return *p; }
  static inline S spread_padded(const S* p, int) { return *p; }
  static inline void keep(S* p, S value, int) { *p = value; }
  static inline S fold(S v, int) { return v; }
  static inline S exp(S v) { return std::exp(v); }
  static inline S larger(S a, S b) { return a < b ? b : a; }
  static inline void fetch(const S* p, int count) { VectorLanes<S>::fetch(p, count); }
};

}  // namespace physolve
