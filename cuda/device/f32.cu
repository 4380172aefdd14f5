#include "kernels.inc"

namespace physolve {

template Launch launch_of<float>(const Plan&, const Batch<float>&, const Job<float>&);
template const char* launch<float>(const Plan&, const Batch<float>&, const Job<float>&, const Launch&, void*, void*);

}  // namespace physolve
