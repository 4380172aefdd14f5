// Warps of narrow networks on the host: 32 threads and a barrier stand in for a warp, an exchange of fragments for its
// tensor cores, which cut their numbers to 11 bits and their sums to 24. Results must be those of the host's kernels in
// double, as near as twice the host's in float, and a few times 2^-24; under the thread sanitizer a missing
// synchronisation is a data race that is reported.
#include "device/narrow.h"

#include <semaphore.h>

#include <atomic>

#include "device_driver.h"

// Where the lanes of a warp lay their fragments, and meet for it; every other product has a place of its own, which no lane
// writes again before all have read it. Tensor cores order nobody's memory: all of this is relaxed, so that in the
// sanitizer's eyes nothing but the barrier orders the lanes' own accesses.
struct Exchange {
  std::atomic<float> a[2][2][32][4], b[2][2][32][2];
  std::atomic<int> arrived{0}, round{0};

  void meet() {
    const int now = round.load(relaxed);
    if (arrived.fetch_add(1, relaxed) == 31) {
      arrived.store(0, relaxed);
      round.store(now + 1, relaxed);
    }
    while (round.load(relaxed) == now) sched_yield();
  }

  static constexpr auto relaxed = std::memory_order_relaxed;
};

struct HostWarp {
  int lane;
  Exchange* exchange;
  PosixBarrier barrier;
  sem_t *turn, *next;  // this lane's, and the same lane's of the warp that is next
  mutable int place = 0;

  void sync() const { barrier(); }
  void wait_for_turn() const { sem_wait(turn); }
  void pass_turn() const { sem_post(next); }

  void multiply_add(float (&c)[4], float (&small)[4], const Fragment<4>& a, const Fragment<2>& b) const {
    place = 1 - place;
    for (int k = 0; k < 4; ++k) {
      exchange->a[place][0][lane][k].store(cut(a.big[k]), Exchange::relaxed);
      exchange->a[place][1][lane][k].store(cut(a.small[k]), Exchange::relaxed);
    }
    for (int k = 0; k < 2; ++k) {
      exchange->b[place][0][lane][k].store(cut(b.big[k]), Exchange::relaxed);
      exchange->b[place][1][lane][k].store(cut(b.small[k]), Exchange::relaxed);
    }
    exchange->meet();
    for (auto [i, j] : {std::pair{1, 0}, {0, 1}, {0, 0}}) {
      float (&to)[4] = i + j ? small : c;
      for (int k = 0; k < 4; ++k) to[k] = add_products(to[k], i, j, lane / 4 + k / 2 * 8, lane % 4 * 2 + k % 2);
    }
  }

 private:
  // Lower bits are not there for the tensor cores.
  static float cut(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    bits &= ~0x1fffu;
    std::memcpy(&value, &bits, sizeof(bits));
    return value;
  }

  // sum + sum_k A(row, k) B(k, column), rounded towards zero once.
  float add_products(float sum, int i, int j, int row, int column) const {
    double total = sum;
    for (int k = 0; k < 8; ++k) {
      const float a = exchange->a[place][i][row % 8 * 4 + k % 4][row / 8 + k / 4 * 2].load(Exchange::relaxed);
      const float b = exchange->b[place][j][column * 4 + k % 4][k / 4].load(Exchange::relaxed);
      total += double(a) * double(b);
    }
    const float rounded = float(total);
    return std::fabs(rounded) > std::fabs(total) ? std::nextafter(rounded, 0.0f) : rounded;
  }
};

// How a job is cut: chunks of a network's points, blocks for them, their warps, a warp's jets in shared memory, and whether
// sums are there too.
struct Cut {
  long chunks;
  int blocks, warps, fast;
  bool near;
};

template <int tiles, class Known, bool back>
void run_on_warps(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Cut cut) {
  const NarrowMemory none(plan, tiles, back, cut.warps, cut.near, 0);
  const long room = none.before_jets() + cut.warps * cut.fast * none.jet;
  const NarrowMemory memory(plan, tiles, back, cut.warps, cut.near, room);
  for (int block = 0; block < cut.blocks; ++block) {
    // garbage, as memory on a device has it
    std::vector<float> shared(memory.shared() + 4, 7.0f), scratch(memory.scratch() + 4, -3.0f);
    std::vector<Exchange> exchanges(memory.warps);
    std::vector<pthread_barrier_t> barriers(memory.warps);
    for (auto& barrier : barriers) pthread_barrier_init(&barrier, nullptr, 32);
    std::vector<sem_t> turns(memory.threads());
    for (auto& turn : turns) sem_init(&turn, 0, 0);
    run_threads(memory.threads(), [&](int thread, PosixBarrier barrier) {
      const BlockMachine<float, PosixBarrier> machine{thread, memory.threads(), barrier};
      const HostWarp warp{thread % 32, &exchanges[thread / 32], {&barriers[thread / 32]}, &turns[thread],
                          &turns[(thread + 32) % memory.threads()]};
      run_narrow_block<tiles, Known, back>(plan, batch, job, cut.chunks, block, cut.blocks, machine, warp, memory,
                                           shared.data(), scratch.data());
    });
    for (auto& barrier : barriers) pthread_barrier_destroy(&barrier);
  }
}

template <int tiles, class Known>
void run_on_warps(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Cut cut) {
  if (job.weight_sums) {
    run_on_warps<tiles, Known, true>(plan, batch, job, cut);
  } else {
    run_on_warps<tiles, Known, false>(plan, batch, job, cut);
  }
}

void run_narrow(const Plan& plan, const Batch<float>& batch, const Job<float>& job, Cut cut) {
  with_pattern(CommonPatterns{}, plan.layout, [&](auto pattern) {
    using Known = decltype(pattern);
    if constexpr (Known::known) {
      if (narrow_tiles(plan, job) == 4) run_on_warps<4, Known>(plan, batch, job, cut);
      if (narrow_tiles(plan, job) == 8) run_on_warps<8, Known>(plan, batch, job, cut);
    }
  });
}

struct Results {
  std::vector<double> jets, sums;
};

template <class S, class Run>
Results results(const Plan& plan, const Drawn<S>& drawn, long chunks, Run run) {
  std::vector<S> jets(drawn.c.size(), S(NAN)), sums(drawn.networks * chunks * plan.weights, S(NAN));
  Job<S> forward, backward;
  forward.jets = jets.data();
  backward.cotangents = drawn.c.data();
  backward.weight_sums = sums.data();
  run(plan, drawn.batch(), forward);
  run(plan, drawn.batch(), backward);
  const std::vector<double> all(sums.begin(), sums.end());
  return {{jets.begin(), jets.end()}, summed(all, drawn.networks, plan.weights)};
}

// By what part of the exact numbers the found ones are too large all together: what sums over points do not lose.
double excess(const std::vector<double>& found, const std::vector<double>& exact) {
  double error = 0, size = 0;
  for (size_t k = 0; k < exact.size(); ++k) {
    error += (found[k] - exact[k]) * exact[k];
    size += exact[k] * exact[k];
  }
  return error / size;
}

std::vector<double> doubled(const std::vector<float>& numbers) { return {numbers.begin(), numbers.end()}; }

bool agree(const Plan& plan, long points, bool shared, Cut cut) {
  const Drawn<float> drawn = draw_for<float>(plan, points, shared, 0.4);
  const Drawn<double> in_double{drawn.networks, points, shared, doubled(drawn.x), doubled(drawn.w), doubled(drawn.c)};
  const long hosts = host_chunks(drawn.networks, points, plan.weights);
  const auto on_host = [](const Plan& plan, const auto& batch, const auto& job) { run_on_host(plan, batch, job, serial); };
  const Results exact = results(plan, in_double, hosts, on_host), host = results(plan, drawn, hosts, on_host);
  const auto on_warps = [&](const Plan& plan, const auto& batch, const auto& job) { run_narrow(plan, batch, job, cut); };
  const Results found = results(plan, drawn, cut.chunks, on_warps);
  const double jets = distance(found.jets, exact.jets), sums = distance(found.sums, exact.sums);
  const double host_jets = distance(host.jets, exact.jets), host_sums = distance(host.sums, exact.sums);
  std::printf("%d rows, %d features, %ld points: jets %.1e (host's %.1e), gradient %.1e (%.1e), excess %.1e %.1e\n",
              plan.layout.rows(), plan.features(), points, jets, host_jets, sums, host_sums, excess(found.jets, exact.jets),
              excess(found.sums, exact.sums));
  std::fflush(stdout);
  // Where small products are not summed apart, jets are too small by twice as much.
  const double most_excess = narrow_tiles(plan, {}) == 4 ? 4e-7 : 8e-7;
  return jets < 2 * host_jets + 5e-7 && sums < 2 * host_sums + 5e-7 &&
         std::fabs(excess(found.jets, exact.jets)) < most_excess;
}

int main() {
  const std::pair<int, int> xx{0, 0}, yy{1, 1}, zz{2, 2};
  bool good = true;
  // HyPINO's target network
  good = agree(make_plan({2, 32, 32, 32, 32, 1}, Function::tanh, 5, true, {0, 1}, {xx, yy}), 41, false, {1, 1, 3, 6, true}) && good;
  Plan standing = make_plan({2, 9, 9, 3}, Function::sine, 2, true, {0, 1}, {xx, yy});
  standing.frequency[1] = 0;
  good = agree(standing, 21, true, {1, 2, 2, 2, true}) && good;
  good = agree(make_plan({2, 16, 16, 2}, Function::tanh, 0, true, {0, 1}, {}), 8, true, {1, 1, 1, 7, false}) && good;
  good = agree(make_plan({3, 20, 40, 11}, Function::gelu, 0, false, {0, 1, 2}, {xx, yy, zz}), 9, false, {2, 1, 1, 3, true}) && good;
  good = agree(make_plan({3, 30, 1}, Function::tanh, 4, false, {0, 1, 2}, {}), 17, false, {1, 1, 2, 2, false}) && good;
  good = agree(make_plan({1, 8, 8, 1}, Function::tanh, 1, false, {}, {}), 1, false, {1, 2, 1, 9, false}) && good;
  good = agree(make_plan({2, 8, 8, 1}, Function::tanh, 1, true, {0, 1}, {xx, {0, 1}, yy}), 9, false, {1, 2, 2, 5, false}) && good;
  good = agree(make_plan({2, 24, 24, 1}, Function::sine, 1, false, {0, 1}, {yy}), 9, false, {2, 3, 2, 4, true}) && good;
  good = agree(make_plan({2, 40, 40, 40, 11}, Function::tanh, 1, true, {0, 1}, {xx, yy}), 53, false, {2, 3, 2, 4, false}) && good;
  // gates that mix nothing, seven tiles of features
  good = agree(make_plan({4, 40, 1}, Function::tanh, 6, true, {0, 1}, {}), 9, false, {1, 1, 2, 3, true}) && good;
  std::puts(good ? "all agree" : "they differ");
  return good ? 0 : 1;
}
