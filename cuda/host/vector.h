// Vectors of numbers through the compiler's own vector types, and the elementary functions on them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#define PHYSOLVE_VECTOR_BYTES 64
#elif defined(__AVX__)
#define PHYSOLVE_VECTOR_BYTES 32
#else
#define PHYSOLVE_VECTOR_BYTES 16
#endif

namespace physolve {

template <class S>
struct VectorOf {
  typedef S type __attribute__((vector_size(PHYSOLVE_VECTOR_BYTES), may_alias));
};
template <class S>
using Vector = typename VectorOf<S>::type;

template <class S>
constexpr int lanes_of = PHYSOLVE_VECTOR_BYTES / sizeof(S);

// What the elementary functions need to know of a number format.
template <class S>
struct Format;

template <>
struct Format<float> {
  using Bits = std::int32_t;
  static constexpr float magic = 12582912.0f;  // 1.5 2^23: adding it rounds to an integer in the low bits
  static constexpr int bias = 127, digits = 23;
  static constexpr int exp_terms = 7, sine_terms = 5, erfcx_terms = 14;
  static constexpr float saturated = 10.0f, lowest_exponent = -87.0f, largest_angle = 8192.0f;
  // ln 2 in two parts, the first with trailing zeros, so that its multiples by small integers are exact. pi / 2 in
  // three full parts: multiples are subtracted by fused instructions, without which the fast reduction is not used.
  static constexpr float ln2_high = 0.693145751953125f, ln2_low = 1.42860682030941723e-6f;
  static constexpr float half_pi_1 = 1.5707963705062866f, half_pi_2 = -4.371139000186241e-8f;
  static constexpr float half_pi_3 = -1.7151245100059e-15f;
};

template <>
struct Format<double> {
  using Bits = std::int64_t;
  static constexpr double magic = 6755399441055744.0;  // 1.5 2^52
  static constexpr int bias = 1023, digits = 52;
  static constexpr int exp_terms = 13, sine_terms = 9, erfcx_terms = 27;
  static constexpr double saturated = 20.0, lowest_exponent = -708.0, largest_angle = 1048576.0;
  static constexpr double ln2_high = 0.69314718036912381649, ln2_low = 1.9082149292705877e-10;
  static constexpr double half_pi_1 = 1.5707963267948966, half_pi_2 = 6.123233995736766e-17;
  static constexpr double half_pi_3 = -1.4973849048591833e-33;
};

template <class S>
struct VectorMath {
  using V = Vector<S>;
  using F = Format<S>;
  using Bits = typename F::Bits;
  typedef Bits Integers __attribute__((vector_size(PHYSOLVE_VECTOR_BYTES), may_alias));
  static constexpr int lanes = lanes_of<S>;

  // In float v P(v^2) / Q(v^2), the best there is of this degree up to 9 (2e-8; by Lawson's iteration in 40 digits), all
  // of whose terms are positive. In double e / (e + 2), e = exp(2 v) - 1: no cancellation for small v.
  static inline V tanh(V v) {
    if constexpr (sizeof(S) == sizeof(float)) {
      V t = v * v;
      t = t > 81 ? V{} + 81 : t;
      V p = V{} + 1.335458143853581e-08f, q = V{} + 7.776537487962114e-07f;
      p = p * t + 2.0609066411105827e-05f;
      q = q * t + 0.0003285635119656756f;
      p = p * t + 0.0034955892418562693f;
      q = q * t + 0.025876988816432796f;
      p = p * t + 0.13381027356477157f;
      q = q * t + 0.46714342981382473f;
      p = p * t + 0.9999999794943747f;
      q = q * t + 1;
      const V s = v * p / q;
      const V below = s > 1 ? V{} + 1 : s;
      return below < -1 ? V{} - 1 : below;
    }
    const S limit = F::saturated;
    v = v > limit ? V{} + limit : v;
    v = v < -limit ? V{} - limit : v;
    V scale, part;
    exp_parts(v + v, scale, part);
    const V e = scale * part + (scale - 1);
    return e / (e + 2);
  }

  static inline V exp(V v) {
    const V clamped = v < F::lowest_exponent ? V{} + F::lowest_exponent : v;
    V scale, part;
    exp_parts(clamped, scale, part);
    return v < F::lowest_exponent ? V{} : scale * part + scale;
  }

  // Reduction by multiples of pi / 2 in three parts; the C library where that would lose digits, and for NaN.
  static inline void sincos(V v, V& sine, V& cosine) {
#if defined(__FMA__) || defined(__AVX512F__) || defined(__ARM_FEATURE_FMA)
    constexpr S largest = F::largest_angle;
#else
    constexpr S largest = S(M_PI / 4);
#endif
    const V shifted = v * S(2 / M_PI) + F::magic, k = shifted - F::magic;
    const V r = ((v - k * F::half_pi_1) - k * F::half_pi_2) - k * F::half_pi_3, square = r * r;
    V s = V{}, c = V{};  // Taylor sums without their first terms
#pragma GCC unroll 16
    for (int j = F::sine_terms; j >= 1; --j) {
      s = s * square + sign(j) * inverse_factorial(2 * j + 1);
      c = c * square + sign(j) * inverse_factorial(2 * j);
    }
    s = r + r * square * s;
    c = 1 + square * c;
    Integers quadrant;
    std::memcpy(&quadrant, &shifted, sizeof(quadrant));
    const auto odd = (quadrant & 1) != 0;
    sine = odd ? c : s;
    cosine = odd ? s : c;
    sine = (quadrant & 2) != 0 ? -sine : sine;
    cosine = ((quadrant + 1) & 2) != 0 ? -cosine : cosine;
    for (int i = 0; i < lanes; ++i) {
      if (!(std::fabs(v[i]) < largest)) {
        sine[i] = std::sin(v[i]);
        cosine[i] = std::cos(v[i]);
      }
    }
  }

  // Normal distribution and density. erfc(z) = exp(-z^2) erfcx(z), erfcx a Chebyshev sum in 4 / (2 + z) - 1 (its
  // coefficients by interpolation in 60 digits).
  static inline void normal(V v, V& distribution, V& density) {
    static constexpr double chebyshev[27] = {
      0.75475219925171893227, 0.4825091196506807191, 0.12232459533097704389, 0.017831149719276792596,
      0.00032117365249439834363, -0.00035039525647961568037, -0.000022438806506203260084, 0.000010537433119356063627,
      5.6713311326475526491e-7, -4.2976815766658763156e-7, 5.1049525128651408097e-9, 1.889969931817960588e-8,
      -2.242755529856192936e-9, -6.8552543705501845771e-10, 2.1487959525733993421e-10, 5.5154097184856739661e-12,
      -1.3477495048063452928e-11, 2.0863894672105997183e-12, 4.4818814451485971109e-13, -2.2684175777875652202e-13,
      1.8505867519748427498e-14, 1.1509611397547721746e-14, -4.0098901470712497973e-15, 1.3982845705777131771e-16,
      2.6353807721752438452e-16, -7.9539876969694581239e-17, 9.151033515544546507e-19};
    const V z = (v < 0 ? -v : v) * S(M_SQRT1_2), fall = exp(v * v * S(-0.5));
    const V u = 4 / (2 + z) - 1;
    V b0 = V{}, b1 = V{};  // Clenshaw
#pragma GCC unroll 32
    for (int j = F::erfcx_terms - 1; j >= 1; --j) {
      const V b2 = b1;
      b1 = b0;
      b0 = 2 * u * b1 - b2 + S(chebyshev[j]);
    }
    const V tail = S(0.5) * fall * (u * b0 - b1 + S(chebyshev[0] / 2));
    distribution = v < 0 ? tail : 1 - tail;
    density = fall * S(0.5 * M_2_SQRTPI * M_SQRT1_2);
  }

 private:
  static constexpr S inverse_factorial(int n) {
    double product = 1;
    for (int j = 2; j <= n; ++j) product *= j;
    return S(1 / product);
  }
  static constexpr S sign(int j) { return j % 2 ? S(-1) : S(1); }

  // exp(v) = scale (1 + part), scale = 2^n, |part| <= 0.42.
  static inline void exp_parts(V v, V& scale, V& part) {
    const V shifted = v * S(M_LOG2E) + F::magic, n = shifted - F::magic;
    const V r = (v - n * F::ln2_high) - n * F::ln2_low;
    V p = V{};
#pragma GCC unroll 16
    for (int j = F::exp_terms; j >= 2; --j) p = p * r + inverse_factorial(j);
    part = r + r * r * p;
    Integers bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    bits = (bits + F::bias) << F::digits;  // the bits of `magic` itself are shifted out
    std::memcpy(&scale, &bits, sizeof(bits));
  }
};

// Sum of the entries, halves folded together.
template <class S>
inline S total(Vector<S> v) {
#if defined(__clang__)
  S sum = 0;
  for (int i = 0; i < lanes_of<S>; ++i) sum += v[i];
  return sum;
#else
  typename VectorMath<S>::Integers order;
  for (int i = 0; i < lanes_of<S>; ++i) order[i] = i;
#pragma GCC unroll 8
  for (int half = lanes_of<S> / 2; half > 0; half /= 2) v += __builtin_shuffle(v, order ^ half);
  return v[0];
#endif
}

}  // namespace physolve
