#include "attention.inc"

template void physolve::attend_on_host<float>(const AttentionBatch<float>&, const AttentionJob<float>&, const Parallel&);
