#include "narrow_kernels.inc"

template physolve::NarrowKernel physolve::narrow_kernel<4>(const Plan&, bool);
