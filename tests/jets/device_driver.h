// What the drivers of the device's code share: threads as those of a block, plans, drawn numbers, distances.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "host/kernels.h"

using namespace physolve;

struct PosixBarrier {
  pthread_barrier_t* barrier;
  void operator()() const { pthread_barrier_wait(barrier); }
};

// f(thread, barrier) on `threads` threads at once.
template <class F>
void run_threads(int threads, F f) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, threads);
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] { f(thread, PosixBarrier{&barrier}); });
  }
  for (auto& thread : running) thread.join();
  pthread_barrier_destroy(&barrier);
}

Plan make_plan(std::vector<int> sizes, Function function, int bands, bool gated, std::vector<int> first,
               std::vector<std::pair<int, int>> second) {
  Plan plan;
  plan.dim = plan.layout.dim = sizes[0];
  plan.function = function;
  plan.gated = gated;
  plan.bands = bands;
  for (int k = 0; k < bands; ++k) plan.frequency[k] = 0.6 * (1 << k);
  for (int i = 0; i < plan.dim; ++i) {
    plan.center[i] = 0.1 * i;
    plan.slope[i] = 1.0 + 0.2 * i;
  }
  auto add = [&](int in, int out) {
    plan.layer[plan.layers++] = {in, out, plan.weights, plan.weights + in * out};
    plan.weights += (in + 1) * out;
  };
  for (int l = 0; l < plan.heads(); ++l) add(plan.features(), sizes[1]);
  for (size_t l = 1; l + 1 < sizes.size(); ++l) add(sizes[l], sizes[l + 1]);
  Layout& layout = plan.layout;
  for (int axis : first) layout.axis[layout.firsts++] = axis;
  for (auto [i, j] : second) {
    for (int r = 0; r < layout.firsts; ++r) {
      if (layout.axis[r] == i) layout.left[layout.seconds] = 1 + r;
      if (layout.axis[r] == j) layout.right[layout.seconds] = 1 + r;
    }
    layout.pure[layout.seconds++] = i == j ? i : -1;
  }
  return plan;
}

template <class S>
std::vector<S> draw(long count, std::mt19937& generator, double size) {
  std::uniform_real_distribution<double> uniform(-size, size);
  std::vector<S> numbers(count);
  for (auto& number : numbers) number = S(uniform(generator));
  return numbers;
}

template <class S>
double distance(const std::vector<S>& a, const std::vector<S>& b) {
  double off = 0, size = 1e-30;
  for (size_t k = 0; k < a.size(); ++k) {
    if (!std::isfinite(a[k])) return INFINITY;
    off = std::max(off, std::fabs(double(a[k]) - double(b[k])));
    size = std::max(size, std::fabs(double(b[k])));
  }
  return off / size;
}

template <class S>
std::vector<S> summed(const std::vector<S>& chunks, long networks, long count) {
  std::vector<S> sums(networks * count);
  const long each = long(chunks.size()) / (networks * count);
  for (long k = 0; k < long(chunks.size()); ++k) sums[k / (each * count) * count + k % count] += chunks[k];
  return sums;
}

// Two networks, their points, or one set for both, and cotangents of their jets, drawn.
template <class S>
struct Drawn {
  int networks = 2;
  long points;
  bool shared;
  std::vector<S> x, w, c;

  Batch<S> batch() const { return {networks, points, shared, x.data(), w.data()}; }
};

template <class S>
Drawn<S> draw_for(const Plan& plan, long points, bool shared, double size) {
  std::mt19937 generator(points);
  Drawn<S> drawn{2, points, shared};
  drawn.x = draw<S>((shared ? 1 : drawn.networks) * points * plan.dim, generator, 1.0);
  drawn.w = draw<S>(drawn.networks * long(plan.weights), generator, size);
  drawn.c = draw<S>(drawn.networks * plan.layout.rows() * points * plan.outputs(), generator, 1.0);
  return drawn;
}

inline const Parallel serial = [](long count, const auto& range) { range(0, count); };
