// The device's machine on the host: threads and a barrier stand in for the threads of a block. Its results must be the
// host kernels', and under the thread sanitizer a missing barrier is a data race that is reported.
#include "device/block.h"
#include "device_driver.h"

// Two blocks of `threads` threads, one block after the other, as a grid would share out the tasks.
template <class S>
void run_on_blocks(const Plan& plan, const Batch<S>& batch, const Job<S>& job, int threads) {
  const long chunks = device_chunks(batch.networks, batch.points, plan.weights);
  for (int block = 0; block < 2; ++block) {
    std::vector<S> weights(weight_numbers<S>(plan)), tile(tile_numbers<S>(plan, job.wanted()));
    run_threads(threads, [&](int thread, PosixBarrier barrier) {
      const BlockMachine<S, PosixBarrier> machine{thread, threads, barrier};
      run_block(plan, batch, job, chunks, block, 2, machine, weights.data(), tile.data());
    });
  }
}

template <class S>
bool agree(const Plan& plan, long points, bool shared, double tolerance) {
  const Drawn<S> drawn = draw_for<S>(plan, points, shared, 0.6);
  const Batch<S> batch = drawn.batch();
  const int networks = drawn.networks;
  std::vector<S> jets[2], sums[2], slopes[2], rows[2];
  for (int device = 0; device < 2; ++device) {
    const long chunks =
        device ? device_chunks(networks, points, plan.weights) : host_chunks(networks, points, plan.weights);
    jets[device].resize(drawn.c.size());
    sums[device].resize(networks * chunks * plan.weights);
    slopes[device].resize(networks * points * plan.dim);
    rows[device].resize(networks * points * plan.weights);
    Job<S> jobs[3];
    jobs[0].jets = jets[device].data();
    jobs[1].cotangents = jobs[2].cotangents = drawn.c.data();
    jobs[1].weight_sums = sums[device].data();
    jobs[1].point_gradients = slopes[device].data();
    jobs[2].point_rows = rows[device].data();
    jobs[2].row_stride = plan.weights;
    for (const Job<S>& job : jobs) {
      if (device) {
        run_on_blocks(plan, batch, job, 5);
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
  };
  for (const Plan& plan : plans) {
    // sums of a few hundred products in another order
    good = agree<double>(plan, 45, false, 1e-12) && agree<double>(plan, 300, true, 1e-12) && good;
    good = agree<float>(plan, 45, false, 1e-4) && good;
  }
  std::puts(good ? "all agree" : "they differ");
  return good ? 0 : 1;
}
