// Which rows multiply which, known at compile time where that pays: loops unroll and a jet stays in registers.
#pragma once

#include "plan.h"

namespace physolve {

// Any layout, read at run time: `known` is false, `most` a bound. Of a known pattern `most` is the number of rows.
struct AnyPattern {
  static constexpr bool known = false;
  static constexpr int most = 1 + MAX_DIM + MAX_SECOND;
  const Layout& layout;

  PHYSOLVE_HD int firsts() const { return layout.firsts; }
  PHYSOLVE_HD int seconds() const { return layout.seconds; }
  PHYSOLVE_HD int left(int q) const { return layout.left[q]; }
  PHYSOLVE_HD int right(int q) const { return layout.right[q]; }
};

// Value, n first derivatives and their n pure second ones: what a Laplacian with lower-order terms asks for.
template <int n>
struct DiagonalPattern {
  static constexpr bool known = true;
  static constexpr int most = 1 + 2 * n;

  PHYSOLVE_HD constexpr int firsts() const { return n; }
  PHYSOLVE_HD constexpr int seconds() const { return n; }
  PHYSOLVE_HD constexpr int left(int q) const { return 1 + q; }
  PHYSOLVE_HD constexpr int right(int q) const { return 1 + q; }

  PHYSOLVE_HD static bool fits(const Layout& layout) {
    bool fits = layout.firsts == n && layout.seconds == n;
    for (int q = 0; q < n; ++q) fits = fits && layout.left[q] == 1 + q && layout.right[q] == 1 + q;
    return fits;
  }
};

// Value and n first derivatives.
template <int n>
struct GradientPattern {
  static constexpr bool known = true;
  static constexpr int most = 1 + n;

  PHYSOLVE_HD constexpr int firsts() const { return n; }
  PHYSOLVE_HD constexpr int seconds() const { return 0; }
  PHYSOLVE_HD constexpr int left(int) const { return 0; }
  PHYSOLVE_HD constexpr int right(int) const { return 0; }

  PHYSOLVE_HD static bool fits(const Layout& layout) { return layout.firsts == n && layout.seconds == 0; }
};

// f(pattern) with the most specific pattern that the layout has.
template <class F>
PHYSOLVE_HD void with_pattern(const Layout& layout, F f) {
  if (DiagonalPattern<2>::fits(layout)) return f(DiagonalPattern<2>{});
  if (DiagonalPattern<3>::fits(layout)) return f(DiagonalPattern<3>{});
  if (GradientPattern<0>::fits(layout)) return f(GradientPattern<0>{});
  if (GradientPattern<2>::fits(layout)) return f(GradientPattern<2>{});
  if (GradientPattern<3>::fits(layout)) return f(GradientPattern<3>{});
  f(AnyPattern{layout});
}

}  // namespace physolve
