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

// Value, n first derivatives, and the second ones of `pairs`: 10 i + j for that of the rows i and j.
template <int n, int... pairs>
struct Pattern {
  static constexpr bool known = true;
  static constexpr int most = 1 + n + int(sizeof...(pairs));

  PHYSOLVE_HD constexpr int firsts() const { return n; }
  PHYSOLVE_HD constexpr int seconds() const { return int(sizeof...(pairs)); }
  PHYSOLVE_HD constexpr int left(int q) const { return pair(q) / 10; }
  PHYSOLVE_HD constexpr int right(int q) const { return pair(q) % 10; }

  PHYSOLVE_HD bool fits(const Layout& layout) const {
    bool fits = layout.firsts == n && layout.seconds == seconds();
    for (int q = 0; q < seconds(); ++q) fits = fits && layout.left[q] == left(q) && layout.right[q] == right(q);
    return fits;
  }

 private:
  // Entry q of the list; without an array, which a GPU would put into memory.
  PHYSOLVE_HD constexpr int pair(int q) const {
    int k = 0, found = 0;
    ((found = k++ == q ? pairs : found), ...);
    return found;
  }
};

template <class... Patterns>
struct PatternList {};

// What equations ask for: values and gradients; in one, two and three coordinates a Laplacian; diffusion in time, which is
// the last coordinate, in the plane the first too; all second derivatives in the plane.
using CommonPatterns = PatternList<Pattern<2, 11, 22>, Pattern<3, 11, 22, 33>, Pattern<0>, Pattern<2>, Pattern<3>,
                                   Pattern<1, 11>, Pattern<2, 11>, Pattern<2, 22>, Pattern<3, 11, 22>,
                                   Pattern<2, 11, 12, 22>>;

// f(pattern) with the one of the list that the layout has, else with any.
template <class F>
PHYSOLVE_HD void with_pattern(PatternList<>, const Layout& layout, F f) {
  f(AnyPattern{layout});
}

template <class First, class... Others, class F>
PHYSOLVE_HD void with_pattern(PatternList<First, Others...>, const Layout& layout, F f) {
  if (First{}.fits(layout)) return f(First{});
  with_pattern(PatternList<Others...>{}, layout, f);
}

}  // namespace physolve
