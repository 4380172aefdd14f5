#include "narrow_kernels.inc"

template physolve::NarrowKernel physolve::narrow_kernel<8>(const Plan&, bool);
