// The device's machine on the host: threads and a barrier stand in for the threads of a block. Its results must be the
// host kernels', and under the thread sanitizer a missing barrier is a data race that is reported.
#include <pthread.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "device/block.h"
#include "host/kernels.h"

using namespace physolve;

struct PosixBarrier {
  pthread_barrier_t* barrier;
  void operator()() const { pthread_barrier_wait(barrier); }
};

// Numbers aligned as the device's memory is, not zero: what is read must have been written.
template <class S>
struct Aligned {
  explicit Aligned(long count) : numbers(count + 64 / sizeof(S), S(NAN)) {}

  S* get() { return reinterpret_cast<S*>((reinterpret_cast<std::uintptr_t>(numbers.data()) + 63) / 64 * 64); }

  std::vector<S> numbers;
};

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

// Two blocks of three teams, one block after the other, as a grid would share out the tasks.
template <class S>
void run_on_blocks(const Plan& plan, const Batch<S>& batch, const Job<S>& job) {
  constexpr int TEAMS = 3, TEAM = 5;
  const long chunks = device_chunks(batch.networks, batch.points, plan.weights);
  const Lookup lookup = lookup_of(plan, job);
  for (int block = 0; block < 2; ++block) {
    Aligned<S> weights(lookup.weights.numbers), sums(TEAMS * lookup.weights.numbers), tiles(TEAMS * lookup.tile.numbers);
    const Memory<S> memory{weights.get(), sums.get(), tiles.get()};
    pthread_barrier_t of_block, of_team[TEAMS];
    pthread_barrier_init(&of_block, nullptr, TEAMS * TEAM);
    for (auto& barrier : of_team) pthread_barrier_init(&barrier, nullptr, TEAM);
    std::vector<std::thread> running;
    for (int thread = 0; thread < TEAMS * TEAM; ++thread) {
      running.emplace_back([&, thread] {
        const int team = thread / TEAM;
        run_block(lookup, batch, job, chunks, block, 2, team, TEAMS,
                  TeamMachine<S, PosixBarrier>{thread % TEAM, TEAM, true, {&of_team[team]}},
                  TeamMachine<S, PosixBarrier>{thread, TEAMS * TEAM, true, {&of_block}}, memory);
      });
    }
    for (auto& thread : running) thread.join();
    pthread_barrier_destroy(&of_block);
    for (auto& barrier : of_team) pthread_barrier_destroy(&barrier);
  }
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

template <class S>
bool agree(const Plan& plan, long points, bool shared, double tolerance) {
  const int networks = 2;
  const long outputs = networks * plan.layout.rows() * points * plan.outputs();
  std::mt19937 generator(points);
  const auto x = draw<S>((shared ? 1 : networks) * points * plan.dim, generator, 1.0);
  const auto w = draw<S>(networks * long(plan.weights), generator, 0.6);
  const auto c = draw<S>(outputs, generator, 1.0);
  const Batch<S> batch{networks, points, shared, x.data(), w.data()};
  const Parallel serial = [](long count, const auto& range) { range(0, count); };
  std::vector<S> jets[2], sums[2], slopes[2], rows[2];
  for (int device = 0; device < 2; ++device) {
    const long chunks =
        device ? device_chunks(networks, points, plan.weights) : host_chunks(networks, points, plan.weights);
    jets[device].resize(outputs);
    sums[device].resize(networks * chunks * plan.weights);
    slopes[device].resize(networks * points * plan.dim);
    rows[device].resize(networks * points * plan.weights);
    Job<S> jobs[3];
    jobs[0].jets = jets[device].data();
    jobs[1].cotangents = jobs[2].cotangents = c.data();
    jobs[1].weight_sums = sums[device].data();
    jobs[1].point_gradients = slopes[device].data();
    jobs[2].point_rows = rows[device].data();
    jobs[2].row_stride = plan.weights;
    for (const Job<S>& job : jobs) {
      if (device) {
        run_on_blocks(plan, batch, job);
      } else {
        run_on_host(plan, batch, job, serial);
      }
    }
    sums[device] = summed(sums[device], networks, plan.weights);
  }
  const double off = std::max(std::max(distance(jets[1], jets[0]), distance(sums[1], sums[0])),
                              std::max(distance(slopes[1], slopes[0]), distance(rows[1], rows[0])));
  std::printf("%d bytes, %d rows, %ld points: %.1e\n", int(sizeof(S)), plan.layout.rows(), points, off);
  return off < tolerance;
}

int main() {
  bool good = true;
  const Plan plans[] = {
      make_plan({2, 9, 9, 9, 1}, Function::tanh, 2, true, {0, 1}, {{0, 0}, {1, 1}}),
      make_plan({2, 7, 7, 2}, Function::sine, 2, true, {0, 1}, {{0, 0}, {0, 1}, {1, 1}}),
      make_plan({3, 5, 12, 6, 2}, Function::gelu, 0, false, {0, 1, 2}, {{0, 0}, {1, 2}}),
      make_plan({1, 8, 1}, Function::tanh, 1, false, {}, {}),
      make_plan({2, 32, 32, 32, 4}, Function::tanh, 5, true, {0, 1}, {{0, 0}, {1, 1}}),
  };
  for (const Plan& plan : plans) {
    // sums of a few hundred products in another order
    good = agree<double>(plan, 45, false, 1e-12) && agree<double>(plan, 300, true, 1e-12) && good;
    good = agree<float>(plan, 45, false, 1e-4) && good;
  }
  std::puts(good ? "all agree" : "they differ");
  return good ? 0 : 1;
}
