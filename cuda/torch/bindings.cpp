// The operations as torch sees them: schemas, checks, and the host's implementation. Shapes are those of
// physolve/jets/_rules.py, which adds the fake and vmap rules, and says that gradients have no gradient (autograd.h).
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/library.h>

#include <cmath>
#include <tuple>

#include "../host/kernels.h"
#include "autograd.h"
#include "device.h"
#include "tangents.h"

namespace {

using at::Tensor;
using physolve::Batch;
using physolve::Job;
using physolve::Plan;
using Integers = at::IntArrayRef;
using Numbers = at::ArrayRef<double>;

// A network and a layout as lists: sizes (inputs, hidden ..., outputs), bands b_k of the Fourier features, first axes,
// second axes pair by pair.
struct Shape {
  Integers sizes;
  int64_t function;
  Numbers bands;
  bool gated;
  Numbers center, slope;
  Integers first, second;
};

void add_layer(Plan& plan, int64_t in, int64_t out) {
  TORCH_CHECK(plan.layers < physolve::MAX_LAYERS, "jet kernels: more than ", physolve::MAX_LAYERS, " layers");
  TORCH_CHECK(out >= 1 && out <= physolve::MAX_WIDTH, "jet kernels: got a layer of width ", out, ", expected 1 to ",
              physolve::MAX_WIDTH);
  plan.layer[plan.layers++] = {int(in), int(out), plan.weights, int(plan.weights + in * out)};
  plan.weights += int((in + 1) * out);
}

void add_layout(Plan& plan, const Shape& shape) {
  auto& layout = plan.layout;
  TORCH_CHECK(shape.first.size() <= physolve::MAX_DIM && shape.second.size() <= 2 * physolve::MAX_SECOND &&
                  shape.second.size() % 2 == 0,
              "jet kernels: got ", shape.first.size(), " first and ", shape.second.size() / 2, " second derivatives");
  layout.dim = plan.dim;
  for (int64_t axis : shape.first) {
    TORCH_CHECK(axis >= 0 && axis < plan.dim, "jet kernels: no coordinate ", axis);
    layout.axis[layout.firsts++] = int(axis);
  }
  auto row_of = [&](int64_t axis) {
    for (int i = 0; i < layout.firsts; ++i) {
      if (layout.axis[i] == axis) return 1 + i;
    }
    TORCH_CHECK(false, "jet kernels: a second derivative along coordinate ", axis, " needs its first one");
  };
  for (size_t q = 0; q < shape.second.size() / 2; ++q) {
    const int64_t i = shape.second[2 * q], j = shape.second[2 * q + 1];
    layout.left[q] = row_of(i);
    layout.right[q] = row_of(j);
    layout.pure[q] = i == j ? int(i) : -1;
    ++layout.seconds;
  }
}

Plan plan_of(const Shape& shape) {
  Plan plan;
  const auto& sizes = shape.sizes;
  TORCH_CHECK(sizes.size() >= 3, "jet kernels: got ", sizes.size(), " sizes, expected (inputs, hidden ..., outputs)");
  TORCH_CHECK(sizes[0] >= 1 && sizes[0] <= physolve::MAX_DIM, "jet kernels: got ", sizes[0], " inputs, expected 1 to ",
              physolve::MAX_DIM);
  plan.dim = int(sizes[0]);
  TORCH_CHECK(shape.center.size() == size_t(plan.dim) && shape.slope.size() == size_t(plan.dim) &&
                  shape.bands.size() <= size_t(physolve::MAX_BANDS) && shape.function >= 0 && shape.function <= 2,
              "jet kernels: center, slope, bands or function out of range");
  plan.function = physolve::Function(shape.function);
  plan.gated = shape.gated;
  plan.bands = int(shape.bands.size());
  for (int k = 0; k < plan.bands; ++k) plan.frequency[k] = 2 * M_PI * shape.bands[k];
  for (int i = 0; i < plan.dim; ++i) {
    plan.center[i] = shape.center[i];
    plan.slope[i] = shape.slope[i];
  }
  for (int l = 0; l < plan.heads(); ++l) add_layer(plan, plan.features(), sizes[1]);
  for (size_t l = 1; l + 1 < sizes.size(); ++l) {
    TORCH_CHECK(!plan.gated || l + 2 == sizes.size() || sizes[l + 1] == sizes[1],
                "jet kernels: a gated network has hidden layers of one width");
    add_layer(plan, sizes[l], sizes[l + 1]);
  }
  add_layout(plan, shape);
  return plan;
}

// points (n, dim) shared by all networks or (networks, n, dim); weights (networks, count).
void check(const Plan& plan, const Tensor& points, const Tensor& weights) {
  TORCH_CHECK(weights.dim() == 2 && weights.size(1) == plan.weights, "jet kernels: got weights of shape ",
              weights.sizes(), ", expected (networks, ", plan.weights, ")");
  TORCH_CHECK((points.dim() == 2 || (points.dim() == 3 && points.size(0) == weights.size(0))) &&
                  points.size(-1) == plan.dim,
              "jet kernels: got points of shape ", points.sizes(), ", expected (", weights.size(0), ", n, ", plan.dim,
              ") or (n, ", plan.dim, ")");
  TORCH_CHECK(points.scalar_type() == weights.scalar_type() &&
                  (points.scalar_type() == at::kFloat || points.scalar_type() == at::kDouble),
              "jet kernels: got points of ", points.scalar_type(), " and weights of ", weights.scalar_type(),
              ", expected both Float or both Double");
  TORCH_CHECK(points.device() == weights.device(), "jet kernels: got points on ", points.device(), " and weights on ",
              weights.device(), ", expected one device");
}

void check_rows(const Plan& plan, const Tensor& rows, const Tensor& points, const Tensor& weights) {
  TORCH_CHECK(rows.dim() == 4 && rows.size(0) == weights.size(0) && rows.size(1) == plan.layout.rows() &&
                  rows.size(2) == points.size(-2) && rows.size(3) == plan.outputs() &&
                  rows.scalar_type() == weights.scalar_type(),
              "jet kernels: got cotangents of shape ", rows.sizes(), " and type ", rows.scalar_type(), ", expected (",
              weights.size(0), ", ", plan.layout.rows(), ", ", points.size(-2), ", ", plan.outputs(), ") of ",
              weights.scalar_type());
  TORCH_CHECK(rows.device() == weights.device(), "jet kernels: got cotangents on ", rows.device(),
              " and weights on ", weights.device(), ", expected one device");
}

void in_parallel(long count, const std::function<void(long, long)>& range) {
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) { range(begin, end); });
}

template <class S>
const S* read(const Tensor& t) {
  return t.defined() ? t.const_data_ptr<S>() : nullptr;
}

template <class S>
S* written(const Tensor& t) {
  return t.defined() ? t.mutable_data_ptr<S>() : nullptr;
}

struct Arrays {
  Tensor jets, cotangents, weight_sums, point_gradients, point_rows;
};

template <class S>
void run_as(const Plan& plan, const Tensor& points, const Tensor& weights, const Arrays& arrays) {
  const Batch<S> batch{int(weights.size(0)), long(points.size(-2)), points.dim() == 2, read<S>(points),
                       read<S>(weights)};
  const Job<S> job{written<S>(arrays.jets), read<S>(arrays.cotangents), written<S>(arrays.weight_sums),
                   written<S>(arrays.point_gradients), written<S>(arrays.point_rows),
                   arrays.point_rows.defined() ? long(arrays.point_rows.stride(1)) : 0};
  if (batch.networks == 0 || batch.points == 0) return;
  if (weights.is_cuda()) {
    physolve::run_on_device<S>(plan, batch, job, weights);
  } else {
    physolve::run_on_host<S>(plan, batch, job, in_parallel);
  }
}

void run(const Plan& plan, const Tensor& points, const Tensor& weights, const Arrays& arrays) {
  if (weights.scalar_type() == at::kFloat) {
    run_as<float>(plan, points, weights, arrays);
  } else {
    run_as<double>(plan, points, weights, arrays);
  }
}

Tensor forward(const Tensor& points, const Tensor& weights, Integers sizes, int64_t function, Numbers bands, bool gated,
               Numbers center, Numbers slope, Integers first, Integers second) {
  const Plan plan = plan_of({sizes, function, bands, gated, center, slope, first, second});
  check(plan, points, weights);
  Tensor jets =
      at::empty({weights.size(0), plan.layout.rows(), points.size(-2), plan.outputs()}, weights.options());
  run(plan, points.contiguous(), weights.contiguous(), {.jets = jets});
  return jets;
}

std::tuple<Tensor, Tensor> backward(const Tensor& cotangents, const Tensor& points, const Tensor& weights,
                                    Integers sizes, int64_t function, Numbers bands, bool gated, Numbers center,
                                    Numbers slope, Integers first, Integers second, bool to_points) {
  const Plan plan = plan_of({sizes, function, bands, gated, center, slope, first, second});
  check(plan, points, weights);
  check_rows(plan, cotangents, points, weights);
  const int64_t networks = weights.size(0), n = points.size(-2);
  const int64_t chunks = weights.is_cuda() ? physolve::device_chunks(networks, n, plan.weights)
                                           : physolve::host_chunks(networks, n, plan.weights);
  Tensor sums = at::empty({networks, chunks, plan.weights}, weights.options());
  if (n == 0) sums.zero_();
  Tensor gradients;
  if (to_points) gradients = at::empty({networks, n, plan.dim}, weights.options());
  run(plan, points.contiguous(), weights.contiguous(),
      {.cotangents = cotangents.contiguous(), .weight_sums = sums, .point_gradients = gradients});
  if (!to_points) gradients = at::empty({0}, weights.options());
  if (to_points && points.dim() == 2) gradients = gradients.sum(0);
  return {sums.sum(1), gradients};
}

// Rows of `out` (networks, n, count) may lie further apart than its columns: a part of a larger Jacobian.
void jacobian_out(const Tensor& out, const Tensor& coefficients, const Tensor& points, const Tensor& weights,
                  Integers sizes, int64_t function, Numbers bands, bool gated, Numbers center, Numbers slope,
                  Integers first, Integers second) {
  const Plan plan = plan_of({sizes, function, bands, gated, center, slope, first, second});
  check(plan, points, weights);
  check_rows(plan, coefficients, points, weights);
  const int64_t networks = weights.size(0), n = points.size(-2);
  TORCH_CHECK(out.dim() == 3 && out.size(0) == networks && out.size(1) == n && out.size(2) == plan.weights &&
                  out.scalar_type() == weights.scalar_type() && out.device() == weights.device(),
              "jet kernels: got out of shape ", out.sizes(), " and type ", out.scalar_type(), ", expected (", networks,
              ", ", n, ", ", plan.weights, ") of ", weights.scalar_type());
  TORCH_CHECK(out.numel() == 0 || (out.stride(2) == 1 && (n == 1 || out.stride(1) >= plan.weights) &&
                                   (networks == 1 || out.stride(0) == n * out.stride(1))),
              "jet kernels: got out with strides ", out.strides(), ", expected rows of consecutive numbers");
  run(plan, points.contiguous(), weights.contiguous(),
      {.cotangents = coefficients.contiguous(), .point_rows = out});
}

Tensor jacobian(const Tensor& coefficients, const Tensor& points, const Tensor& weights, Integers sizes,
                int64_t function, Numbers bands, bool gated, Numbers center, Numbers slope, Integers first,
                Integers second) {
  check(plan_of({sizes, function, bands, gated, center, slope, first, second}), points, weights);
  Tensor rows = at::empty({weights.size(0), points.size(-2), weights.size(1)}, weights.options());
  jacobian_out(rows, coefficients, points, weights, sizes, function, bands, gated, center, slope, first, second);
  return rows;
}

struct JetAdvice {
  static constexpr const char* text =
      "jet kernels: no forward-mode derivative (jvp, jacfwd, hessian); use physolve.jets.plain_jet, or set "
      "PHYSOLVE_KERNELS=plain";
};

int64_t vector_bytes() { return physolve::vector_bytes(); }

void implement(torch::Library& m) {
  m.impl("jet_forward", forward);
  m.impl("jet_backward", backward);
  m.impl("jet_jacobian", jacobian);
  m.impl("jet_jacobian_out", jacobian_out);
}

}  // namespace

#define SHAPE                                                                        \
  "int[] sizes, int function, float[] bands, bool gated, float[] center, float[] slope, " \
  "int[] first, int[] second"

TORCH_LIBRARY(physolve, m) {
  m.def("jet_forward(Tensor points, Tensor weights, " SHAPE ") -> Tensor");
  m.def("jet_backward(Tensor cotangents, Tensor points, Tensor weights, " SHAPE
        ", bool to_points) -> (Tensor, Tensor)");
  m.def("jet_jacobian(Tensor coefficients, Tensor points, Tensor weights, " SHAPE ") -> Tensor");
  m.def("jet_jacobian_out(Tensor(a!) out, Tensor coefficients, Tensor points, Tensor weights, " SHAPE ") -> ()");
  m.def("vector_bytes() -> int", vector_bytes);
}

TORCH_LIBRARY_IMPL(physolve, CPU, m) { implement(m); }
TORCH_LIBRARY_IMPL(physolve, CUDA, m) { implement(m); }
TORCH_LIBRARY_IMPL(physolve, Autograd, m) {
  m.impl("jet_forward", torch::CppFunction::makeFromBoxedFunction<&physolve::with_gradient>());
}
TORCH_LIBRARY_IMPL(physolve, ADInplaceOrView, m) {
  for (const char* name : {"jet_forward", "jet_backward", "jet_jacobian", "jet_jacobian_out"}) {
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&physolve::refuse_tangents<JetAdvice>>());
  }
}
