#include "kernels.inc"

namespace physolve {

template Launch launch_of<double>(const Plan&, const Batch<double>&, const Job<double>&);
template const char* launch<double>(const Plan&, const Batch<double>&, const Job<double>&, const Launch&, void*, void*);

}  // namespace physolve
