// A group of threads for every row; groups of a warp do not wait for one another.
#include <cuda_runtime.h>

#include "attention.h"
#include "attention_machine.h"

namespace physolve {
namespace {

constexpr int THREADS = 128;

enum class Pass { forward, to_query, to_node };

struct WarpExchange {
  unsigned members;  // of the warp: the threads of the group

  template <class S>
  PHYSOLVE_HD S operator()(S value, int bits) const {
#if defined(__CUDA_ARCH__)
    return __shfl_xor_sync(members, value, bits);
#else
    return value;
#endif
  }
};

// An index beyond the nodes would read foreign memory: stop, as torch's own indexing does.
__global__ void check(Rows32 rows, long count, long others, long edges) {
  const long i = blockIdx.x * long(blockDim.x) + threadIdx.x;
  if (i >= count) return;
  if (rows.begin[i] < 0 || rows.begin[i] > rows.begin[i + 1] || rows.begin[i + 1] > edges) __trap();
  for (int e = rows.begin[i]; e < rows.begin[i + 1]; ++e) {
    if (rows.node[e] < 0 || rows.node[e] >= others) __trap();
  }
}

template <class S, int group, class Columns, Pass pass>
__global__ void __launch_bounds__(THREADS)
    attend(const __grid_constant__ AttentionBatch<S> batch, const __grid_constant__ AttentionJob<S> job,
           Columns columns) {
  using Machine = GroupLanes<S, group, WarpExchange>;
  const int lane = threadIdx.x % group, within = threadIdx.x % 32 / group * group;
  const unsigned members = (group == 32 ? 0xffffffffu : (1u << group % 32) - 1) << within;
  const Attention<Machine, Columns> attention(batch, job, columns, Machine{lane, WarpExchange{members}});
  const long rows = pass == Pass::to_node ? batch.nodes : batch.rows, all = batch.batch * rows;
  const long groups = long(gridDim.x) * (THREADS / group);
  for (long k = (blockIdx.x * long(THREADS) + threadIdx.x) / group; k < all; k += groups) {
    if (pass == Pass::forward) attention.forward(k / rows, k % rows);
    if (pass == Pass::to_query) attention.to_query(k / rows, k % rows);
    if (pass == Pass::to_node) attention.to_node(k / rows, k % rows);
  }
}

template <class S, int group, Pass pass, class Columns>
void launch(const AttentionBatch<S>& batch, const AttentionJob<S>& job, Columns columns, cudaStream_t stream) {
  const long rows = batch.batch * (pass == Pass::to_node ? batch.nodes : batch.rows);
  const long blocks = (rows * group + THREADS - 1) / THREADS;
  if (blocks == 0) return;
  attend<S, group, Columns, pass><<<int(blocks < 1 << 20 ? blocks : 1 << 20), THREADS, 0, stream>>>(batch, job, columns);
}

template <class S, int group, class Columns>
void run(const AttentionBatch<S>& batch, const AttentionJob<S>& job, Columns columns, cudaStream_t stream) {
  if (!job.backward) return launch<S, group, Pass::forward>(batch, job, columns, stream);
  launch<S, group, Pass::to_query>(batch, job, columns, stream);
  launch<S, group, Pass::to_node>(batch, job, columns, stream);
}

template <class S, int group>
void run_group(const AttentionBatch<S>& batch, const AttentionJob<S>& job, cudaStream_t stream) {
  const int columns = batch.width / group;
  if (group == 32 && columns == 2) return run<S, group>(batch, job, FixedColumns<2>{}, stream);
  if (group == 32 && columns == 4) return run<S, group>(batch, job, FixedColumns<4>{}, stream);
  run<S, group>(batch, job, AnyColumns<MAX_DEVICE_COLUMNS, 1>{columns, 1}, stream);
}

void launch_check(Rows32 rows, long count, long others, long edges, cudaStream_t stream) {
  if (count > 0) check<<<int((count + 255) / 256), 256, 0, stream>>>(rows, count, others, edges);
}

}  // namespace

template <class S>
const char* attend_on_stream(const AttentionBatch<S>& batch, const AttentionJob<S>& job, void* stream_) {
  const auto stream = static_cast<cudaStream_t>(stream_);
  launch_check(batch.mask, batch.rows, batch.nodes, batch.edges, stream);
  if (job.backward) launch_check(batch.transposed, batch.nodes, batch.rows, batch.edges, stream);
  switch (group_of(batch.width, batch.heads)) {
    case 32: run_group<S, 32>(batch, job, stream); break;
    case 8: run_group<S, 8>(batch, job, stream); break;
    default: return "no way for this width and number of heads";
  }
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

template const char* attend_on_stream<float>(const AttentionBatch<float>&, const AttentionJob<float>&, void*);
template const char* attend_on_stream<double>(const AttentionBatch<double>&, const AttentionJob<double>&, void*);

}  // namespace physolve
