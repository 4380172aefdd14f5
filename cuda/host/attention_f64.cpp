#include "attention.inc"

template void physolve::attend_on_host<double>(const AttentionBatch<double>&, const AttentionJob<double>&, const Parallel&);
