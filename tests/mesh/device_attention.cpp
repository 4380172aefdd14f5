// The device's attention on the host: threads that meet at a barrier stand in for the group of threads of a row. Its
// results must be the host kernels', and under the thread sanitizer two threads that write to one place are reported.
#include <pthread.h>

#include <cmath>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include "device/attention.h"
#include "device/attention_machine.h"
#include "host/attention.h"

using namespace physolve;

template <class S>
struct BarrierExchange {
  int lane;
  S* numbers;
  pthread_barrier_t* barrier;

  S operator()(S value, int bits) const {
    numbers[lane] = value;
    pthread_barrier_wait(barrier);
    const S other = numbers[lane ^ bits];
    pthread_barrier_wait(barrier);
    return other;
  }
};

template <class S>
struct Arrays {
  std::vector<S> out, norms, statistics, to_q, to_k, to_v;

  explicit Arrays(const AttentionBatch<S>& b)
      : out(b.batch * b.rows * b.width), norms(2 * b.batch * b.rows * b.heads),
        statistics(3 * b.batch * b.rows * b.heads + 16), to_q(out), to_k(b.batch * b.nodes * b.width), to_v(to_k) {}

  AttentionJob<S> job(bool backward, const S* cotangents) {
    return {backward, out.data(), norms.data(), cotangents, statistics.data(), to_q.data(), to_k.data(), to_v.data()};
  }
};

// One group after another, as a grid would share out the rows.
template <class S, int group, class Columns>
void run_on_group(const AttentionBatch<S>& batch, const AttentionJob<S>& job, Columns columns) {
  std::vector<S> numbers(group);
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, group);
  std::vector<std::thread> running;
  for (int lane = 0; lane < group; ++lane) {
    running.emplace_back([&, lane] {
      using Machine = GroupLanes<S, group, BarrierExchange<S>>;
      const Machine machine{lane, {lane, numbers.data(), &barrier}};
      const Attention<Machine, Columns> attention(batch, job, columns, machine);
      for (long s = 0; s < batch.batch; ++s) {
        for (long i = 0; i < batch.rows; ++i) job.backward ? attention.to_query(s, i) : attention.forward(s, i);
        pthread_barrier_wait(&barrier);
        if (job.backward) {
          for (long j = 0; j < batch.nodes; ++j) attention.to_node(s, j);
        }
      }
    });
  }
  for (auto& thread : running) thread.join();
  pthread_barrier_destroy(&barrier);
}

template <class S>
std::vector<S> draw(long count, std::mt19937& generator) {
  std::normal_distribution<double> normal;
  std::vector<S> numbers(count);
  for (auto& number : numbers) number = S(normal(generator));
  return numbers;
}

struct RandomMask {
  std::vector<int> begin{0}, node, transposed_begin{0}, transposed_node;

  // Row 0 is empty, row 1 sees every node.
  RandomMask(int rows, int nodes, std::mt19937& generator) {
    std::vector<std::vector<int>> back(nodes);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < nodes; ++j) {
        if (i == 0 || (i > 1 && generator() % 3)) continue;
        node.push_back(j);
        back[j].push_back(i);
      }
      begin.push_back(int(node.size()));
    }
    for (const auto& rows_of_node : back) {
      transposed_node.insert(transposed_node.end(), rows_of_node.begin(), rows_of_node.end());
      transposed_begin.push_back(int(transposed_node.size()));
    }
  }
};

template <class S>
double distance(const std::vector<S>& a, const std::vector<S>& b) {
  double off = 0, size = 1e-30;
  for (size_t k = 0; k < a.size(); ++k) {
    if (std::isinf(b[k]) && a[k] == b[k]) continue;
    if (!std::isfinite(a[k])) return INFINITY;
    off = std::max(off, std::fabs(double(a[k]) - double(b[k])));
    size = std::max(size, std::fabs(double(b[k])));
  }
  return off / size;
}

template <class S, int group, class Columns>
bool agree(int width, int heads, Columns columns, double tolerance) {
  std::mt19937 generator(width + heads);
  const int batch = 2, rows = 9, nodes = 11;
  const RandomMask mask(rows, nodes, generator);
  const auto q = draw<S>(batch * rows * width, generator), k = draw<S>(batch * nodes * width, generator);
  const auto v = draw<S>(k.size(), generator), g = draw<S>(q.size(), generator);
  AttentionBatch<S> b;
  b.batch = batch, b.rows = rows, b.nodes = nodes, b.edges = long(mask.node.size());
  b.width = width, b.heads = heads, b.scale = S(0.4);
  b.q = q.data(), b.k = k.data(), b.v = v.data();
  b.mask = {mask.begin.data(), mask.node.data()};
  b.transposed = {mask.transposed_begin.data(), mask.transposed_node.data()};
  Arrays<S> host(b), device(b);
  const Parallel serial = [](long count, const auto& range) { range(0, count); };
  for (bool backward : {false, true}) {
    attend_on_host(b, host.job(backward, g.data()), serial);
    run_on_group<S, group>(b, device.job(backward, g.data()), columns);
  }
  const double off = std::max({distance(device.out, host.out), distance(device.norms, host.norms),
                               distance(device.to_q, host.to_q), distance(device.to_k, host.to_k),
                               distance(device.to_v, host.to_v)});
  std::printf("%d bytes, width %d, %d heads, %d threads: %.1e\n", int(sizeof(S)), width, heads, group, off);
  return group == group_of(width, heads) && off < tolerance;
}

int main() {
  using Any = AnyColumns<MAX_DEVICE_COLUMNS, 1>;
  bool good = agree<double, 8>(16, 4, Any{2, 1}, 1e-13);
  good = agree<double, 8>(24, 2, Any{3, 1}, 1e-13) && good;
  good = agree<float, 8>(8, 8, Any{1, 1}, 1e-5) && good;
  good = agree<float, 32>(64, 4, FixedColumns<2>{}, 1e-5) && good;
  std::puts(good ? "all agree" : "they differ");
  return good ? 0 : 1;
}
