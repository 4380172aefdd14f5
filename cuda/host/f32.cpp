#include "kernels.inc"

template void physolve::run_on_host<float>(const Plan&, const Batch<float>&, const Job<float>&, const Parallel&);
