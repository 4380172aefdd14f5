#include "kernels.inc"

template void physolve::run_on_host<double>(const Plan&, const Batch<double>&, const Job<double>&, const Parallel&);
