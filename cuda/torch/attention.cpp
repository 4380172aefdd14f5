// The operations of attention as torch sees them: schemas, checks, and the host's implementation. Shapes are those of
// physolve/mesh/_attention_rules.py, which adds the fake and autograd rules.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <tuple>

#include "../host/attention.h"
#include "../host/vector.h"
#include "attention_device.h"
#include "tangents.h"

namespace {

using at::Tensor;
using physolve::AttentionBatch;
using physolve::AttentionJob;
using physolve::Rows32;

// A mask and its transpose in compressed rows: begin (rows + 1), node (edges); transposed_begin (nodes + 1),
// transposed_node (edges).
struct Mask {
  Tensor begin, node, transposed_begin, transposed_node;
};

struct Inputs {
  Tensor q, k, v;
  Mask mask;
  int64_t heads;
  double scale;
};

void check_rows(const char* name, const Tensor& begin, const Tensor& node, int64_t rows, const Tensor& like) {
  TORCH_CHECK(begin.dim() == 1 && node.dim() == 1 && begin.size(0) == rows + 1, "attention: got a ", name,
              " of shapes ", begin.sizes(), " and ", node.sizes(), ", expected (", rows + 1, ") and (edges)");
  TORCH_CHECK(begin.scalar_type() == at::kInt && node.scalar_type() == at::kInt, "attention: got a ", name, " of ",
              begin.scalar_type(), " and ", node.scalar_type(), ", expected Int (32 bits)");
  TORCH_CHECK(begin.device() == like.device() && node.device() == like.device(), "attention: got a ", name, " on ",
              begin.device(), " and queries on ", like.device(), ", expected one device");
}

// No kernel may read beyond its tensors. The device's own check is in its kernels: here it would wait for them.
void check_entries(const char* name, const Tensor& begin_, const Tensor& node_, int64_t others) {
  if (begin_.is_cuda()) return;
  const Tensor begin = begin_.contiguous(), node = node_.contiguous();
  const int *b = begin.const_data_ptr<int>(), *n = node.const_data_ptr<int>();
  const int64_t rows = begin.size(0) - 1, edges = node.size(0);
  bool rising = b[0] == 0 && b[rows] == edges, inside = true;
  for (int64_t i = 0; i < rows; ++i) rising &= b[i] <= b[i + 1];
  for (int64_t e = 0; e < edges; ++e) inside &= n[e] >= 0 && n[e] < others;
  TORCH_CHECK(rising, "attention: beginnings of the ", name, " do not rise from 0 to its ", edges, " edges");
  TORCH_CHECK(inside, "attention: the ", name, " has a node outside 0 ... ", others - 1);
}

void check(const Inputs& in) {
  const Tensor &q = in.q, &k = in.k, &v = in.v;
  TORCH_CHECK(q.dim() == 3 && k.dim() == 3 && k.size(0) == q.size(0) && k.size(2) == q.size(2) &&
                  v.sizes() == k.sizes(),
              "attention: got queries, keys and values of shapes ", q.sizes(), ", ", k.sizes(), " and ", v.sizes(),
              ", expected (batch, rows, width) and twice (batch, nodes, width)");
  TORCH_CHECK((q.scalar_type() == at::kFloat || q.scalar_type() == at::kDouble) &&
                  k.scalar_type() == q.scalar_type() && v.scalar_type() == q.scalar_type(),
              "attention: got queries, keys and values of ", q.scalar_type(), ", ", k.scalar_type(), " and ",
              v.scalar_type(), ", expected all Float or all Double");
  TORCH_CHECK(k.device() == q.device() && v.device() == q.device(), "attention: got queries, keys and values on ",
              q.device(), ", ", k.device(), " and ", v.device(), ", expected one device");
  TORCH_CHECK(in.heads >= 1 && in.heads <= physolve::MAX_HEADS && q.size(2) >= 1 && q.size(2) % in.heads == 0 &&
                  q.size(2) <= physolve::MAX_ATTENTION_WIDTH,
              "attention: got ", in.heads, " heads and width ", q.size(2), ", expected 1 to ", physolve::MAX_HEADS,
              " heads that divide a width of at most ", physolve::MAX_ATTENTION_WIDTH);
  const Mask& mask = in.mask;
  check_rows("mask", mask.begin, mask.node, q.size(1), q);
  check_rows("transposed mask", mask.transposed_begin, mask.transposed_node, k.size(1), q);
  TORCH_CHECK(mask.node.size(0) == mask.transposed_node.size(0), "attention: got a mask of ", mask.node.size(0),
              " edges and a transpose of ", mask.transposed_node.size(0));
  check_entries("mask", mask.begin, mask.node, k.size(1));
}

void in_parallel(long count, const std::function<void(long, long)>& range) {
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) { range(begin, end); });
}

template <class S>
AttentionBatch<S> batch_of(const Inputs& in) {
  AttentionBatch<S> batch;
  batch.batch = in.q.size(0);
  batch.rows = in.q.size(1);
  batch.nodes = in.k.size(1);
  batch.edges = in.mask.node.size(0);
  batch.width = int(in.q.size(2));
  batch.heads = int(in.heads);
  batch.scale = S(in.scale);
  batch.q = in.q.const_data_ptr<S>();
  batch.k = in.k.const_data_ptr<S>();
  batch.v = in.v.const_data_ptr<S>();
  batch.mask = {in.mask.begin.const_data_ptr<int>(), in.mask.node.const_data_ptr<int>()};
  batch.transposed = {in.mask.transposed_begin.const_data_ptr<int>(), in.mask.transposed_node.const_data_ptr<int>()};
  return batch;
}

struct Arrays {
  bool backward = false;
  Tensor out, norms, cotangents, statistics, to_q, to_k, to_v;
};

template <class S>
S* pointer(const Tensor& t) {
  return t.defined() ? static_cast<S*>(t.data_ptr()) : nullptr;
}

template <class S>
void run_as(const Inputs& in, const Arrays& to) {
  const auto batch = batch_of<S>(in);
  const AttentionJob<S> job{to.backward,
                            pointer<S>(to.out),
                            pointer<S>(to.norms),
                            pointer<S>(to.cotangents),
                            pointer<S>(to.statistics),
                            pointer<S>(to.to_q),
                            pointer<S>(to.to_k),
                            pointer<S>(to.to_v)};
  if (in.q.is_cuda()) {
    physolve::attend_on_device<S>(batch, job, in.q);
  } else {
    physolve::attend_on_host<S>(batch, job, in_parallel);
  }
}

void run(const Inputs& in, const Arrays& to) {
  if (in.q.numel() == 0 && in.k.numel() == 0) return;
  if (in.q.scalar_type() == at::kFloat) {
    run_as<float>(in, to);
  } else {
    run_as<double>(in, to);
  }
}

Inputs checked(const Tensor& q, const Tensor& k, const Tensor& v, const Mask& mask, int64_t heads, double scale) {
  const Inputs in{q, k, v, mask, heads, scale};
  check(in);
  return {q.contiguous(),
          k.contiguous(),
          v.contiguous(),
          {mask.begin.contiguous(), mask.node.contiguous(), mask.transposed_begin.contiguous(),
           mask.transposed_node.contiguous()},
          heads,
          scale};
}

std::tuple<Tensor, Tensor> forward(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& begin,
                                   const Tensor& node, const Tensor& transposed_begin, const Tensor& transposed_node,
                                   int64_t heads, double scale) {
  const Inputs in = checked(q, k, v, {begin, node, transposed_begin, transposed_node}, heads, scale);
  const Tensor out = at::empty(q.sizes(), q.options());
  const Tensor norms = at::empty({q.size(0), q.size(1), 2, heads}, q.options());
  run(in, {.out = out, .norms = norms});
  return {out, norms};
}

std::tuple<Tensor, Tensor, Tensor> backward(const Tensor& cotangents, const Tensor& q, const Tensor& k, const Tensor& v,
                                            const Tensor& norms, const Tensor& begin,
                                            const Tensor& node, const Tensor& transposed_begin,
                                            const Tensor& transposed_node, int64_t heads, double scale) {
  const Inputs in = checked(q, k, v, {begin, node, transposed_begin, transposed_node}, heads, scale);
  check_entries("transposed mask", transposed_begin, transposed_node, q.size(1));
  TORCH_CHECK(cotangents.sizes() == q.sizes() && cotangents.scalar_type() == q.scalar_type() &&
                  cotangents.device() == q.device(),
              "attention: got cotangents of shape ", cotangents.sizes(), ", ", cotangents.scalar_type(), " on ",
              cotangents.device(), ", expected ", q.sizes(), ", ", q.scalar_type(), " on ", q.device());
  const std::vector<int64_t> shape{q.size(0), q.size(1), 2, heads};
  TORCH_CHECK(norms.sizes() == shape && norms.scalar_type() == q.scalar_type() && norms.device() == q.device(),
              "attention: got norms of shape ", norms.sizes(), " and ", norms.scalar_type(), ", expected ",
              at::IntArrayRef(shape), " of ", q.scalar_type());
  const int64_t spare = 64 / q.element_size();  // a vector may be read at the last number
  const Tensor statistics = at::empty({3 * q.size(0) * q.size(1) * heads + spare}, q.options());
  const Arrays to{.backward = true,
                  .norms = norms.contiguous(),
                  .cotangents = cotangents.contiguous(),
                  .statistics = statistics,
                  .to_q = at::empty(q.sizes(), q.options()),
                  .to_k = at::empty(k.sizes(), q.options()),
                  .to_v = at::empty(k.sizes(), q.options())};
  run(in, to);
  return {to.to_q, to.to_k, to.to_v};
}

struct Advice {
  static constexpr const char* text =
      "attention kernels: no forward-mode derivative (jvp, jacfwd, hessian); use physolve.mesh.plain_attention, or set "
      "PHYSOLVE_KERNELS=plain";
};

int64_t vector_bytes() { return PHYSOLVE_VECTOR_BYTES; }

void implement(torch::Library& m) {
  m.impl("attention_forward", forward);
  m.impl("attention_backward", backward);
}

}  // namespace

#define MASK "Tensor begin, Tensor node, Tensor transposed_begin, Tensor transposed_node, int heads, float scale"

TORCH_LIBRARY_FRAGMENT(physolve, m) {
  m.def("attention_forward(Tensor q, Tensor k, Tensor v, " MASK ") -> (Tensor, Tensor)");
  m.def("attention_backward(Tensor cotangents, Tensor q, Tensor k, Tensor v, Tensor norms, " MASK
        ") -> (Tensor, Tensor, Tensor)");
  m.def("attention_vector_bytes() -> int", vector_bytes);
}

TORCH_LIBRARY_IMPL(physolve, CPU, m) { implement(m); }
TORCH_LIBRARY_IMPL(physolve, CUDA, m) { implement(m); }
TORCH_LIBRARY_IMPL(physolve, ADInplaceOrView, m) {
  for (const char* name : {"attention_forward", "attention_backward"}) {
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&physolve::refuse_tangents<Advice>>());
  }
}
