// Attention of nodes to the nodes that a sparse mask allows, row by row of the mask, without a number kept per edge.
//
//   s_ijh = scale sum_d q_idh k_jdh,   p_ijh = exp(s_ijh) / sum_j exp(s_ijh),   out_idh = sum_j p_ijh v_jdh
//
// Heads are interleaved: column d * heads + h of a node's row is channel d of head h. A vector of consecutive columns then
// holds all heads side by side: one exponential serves all of them, and weights multiply values without being spread.
// The softmax is that of Milakov and Gimelshein (1805.02867): sums are kept relative to the largest score so far.
// Backward recomputes the scores, once along the rows for q and once along the rows of the transposed mask for k and v, so
// that no two workers write to one place. They are rounded as they were, and what a row's are relative to and sum up to
// is kept as two numbers: of a large score the last bit is worth a factor to exp, and a logarithm added to it is lost.
//
//   u_ijh = sum_d g_idh v_jdh,   t_ih = sum_j p_ijh u_ijh,   ds_ijh = p_ijh (u_ijh - t_ih)
//   dq_i = scale (sum_j p_ij u_ij k_j - t_i sum_j p_ij k_j),   dk_j = scale sum_i ds_ij q_i,   dv_j = sum_i p_ij g_i
//
// t is the product of g and out as well, but out need not be kept for it.
//
// The Machine is a vector of `lanes` numbers: on the host a register, on the device a group of threads with one number
// each. It provides
//   Scalar, Lane, lanes
//   load(p), store(p, v)            consecutive numbers, anywhere in memory
//   spread(p, heads)                p[lane % heads], or p[lane] where there are more heads than lanes
//   spread_padded(p, heads)         the same where p[0 .. lanes - 1] may be read
//   keep(p, v, count)               the first `count` numbers of v
//   fold(v, heads)                  in every lane the sum over the lanes that are equal to it modulo heads
//   exp(v), larger(a, b)
//   fetch(p, count)                what is said soon to be read; may do nothing
#pragma once

#include <limits>

#include "qualifiers.h"

namespace physolve {

// Row i holds the nodes node[begin[i]], ..., node[begin[i + 1] - 1].
struct Rows32 {
  const int* begin = nullptr;
  const int* node = nullptr;
};

// `batch` sets of queries (batch, rows, width), keys and values (batch, nodes, width) under one mask and its transpose.
template <class S>
struct AttentionBatch {
  long batch = 0, rows = 0, nodes = 0, edges = 0;
  int width = 0, heads = 0;
  S scale = 0;
  const S *q = nullptr, *k = nullptr, *v = nullptr;
  Rows32 mask, transposed;
};

// What is asked: out and norms; or, backward, the gradients.
template <class S>
struct AttentionJob {
  bool backward = false;
  S* out = nullptr;                // (batch, rows, width), written
  S* norms = nullptr;              // (batch, rows, 2, heads) max_j s and sum_j exp(s - max), written, or read backward
  const S* cotangents = nullptr;   // (batch, rows, width)
  S* statistics = nullptr;         // (batch, rows, 3, heads) max, 1 / sum and t, and `lanes` numbers more; written, then read
  S *to_q = nullptr, *to_k = nullptr, *to_v = nullptr;
};

// Vectors in a row of `width` columns, and vectors in which every head comes once: known at compile time where that pays.
template <int count>
struct FixedColumns {
  static constexpr int most = count, most_scores = 1;
  static constexpr int block = 8;  // edges whose scores are computed before their values are read

  PHYSOLVE_HD constexpr int columns() const { return count; }
  PHYSOLVE_HD constexpr int scores() const { return 1; }
};

template <int most_, int most_scores_>
struct AnyColumns {
  static constexpr int most = most_, most_scores = most_scores_;
  static constexpr int block = 4;
  int columns_, scores_;

  PHYSOLVE_HD int columns() const { return columns_; }
  PHYSOLVE_HD int scores() const { return scores_; }
};

constexpr int AHEAD = 8;

template <class Machine, class Columns>
class Attention {
 public:
  using S = typename Machine::Scalar;
  using L = typename Machine::Lane;
  static constexpr int lanes = Machine::lanes;

  PHYSOLVE_HD Attention(const AttentionBatch<S>& batch, const AttentionJob<S>& job, Columns columns, Machine machine)
      : batch_(batch), job_(job), columns_(columns), machine_(machine) {}

  // out and norms of row i of a sample.
  PHYSOLVE_HD void forward(long sample, long i) const {
    const long row = sample * batch_.rows + i;
    const S *k = batch_.k + sample * batch_.nodes * batch_.width, *v = batch_.v + sample * batch_.nodes * batch_.width;
    const int first = batch_.mask.begin[i], last = batch_.mask.begin[i + 1];
    L query[Columns::most], sum[Columns::most];
    L top[Columns::most_scores], total[Columns::most_scores];
    read(batch_.q + row * batch_.width, query);
    each_column([&](int c) {
      query[c] = query[c] * batch_.scale;
      sum[c] = L{};
    });
    each_score([&](int r) {
      top[r] = L{} - std::numeric_limits<S>::max();  // finite: scores that overflow are infinitely far below
      total[r] = L{};
    });
    for (int e = first; e < last; e += Columns::block) {
      const int count = last - e < Columns::block ? last - e : Columns::block;
      for (int b = 0; b < count; ++b) ahead(batch_.mask, e + b, k, v);
      extend(batch_.mask.node + e, count, query, k, v, sum, top, total);
    }
    const bool empty = first == last;
    each_column([&](int c) {
      const L value = empty ? L{} : sum[c] / total[score_of(c)];
      machine_.store(job_.out + row * batch_.width + c * lanes, value);
    });
    S* norms = norms_of(row);
    each_score([&](int r) {
      machine_.keep(norms + r * lanes, top[r], kept());
      machine_.keep(norms + batch_.heads + r * lanes, total[r], kept());
    });
  }

  // Gradient of q in row i, and the row's statistics.
  PHYSOLVE_HD void to_query(long sample, long i) const {
    const long row = sample * batch_.rows + i;
    const S *k = batch_.k + sample * batch_.nodes * batch_.width, *v = batch_.v + sample * batch_.nodes * batch_.width;
    L query[Columns::most], cotangent[Columns::most], sum[Columns::most], bent[Columns::most];
    L top[Columns::most_scores], inverse[Columns::most_scores], along[Columns::most_scores];
    read(batch_.q + row * batch_.width, query);
    read(job_.cotangents + row * batch_.width, cotangent);
    each_score([&](int r) {
      top[r] = machine_.spread(norms_of(row) + r * lanes, batch_.heads);
      inverse[r] = 1 / machine_.spread(norms_of(row) + batch_.heads + r * lanes, batch_.heads);
      along[r] = L{};
    });
    each_column([&](int c) {
      query[c] = query[c] * batch_.scale;
      sum[c] = bent[c] = L{};
    });
    for (int e = batch_.mask.begin[i]; e < batch_.mask.begin[i + 1]; ++e) {
      const long other = long(batch_.mask.node[e]) * batch_.width;
      L weight[Columns::most_scores], slope[Columns::most_scores];
      ahead(batch_.mask, e, k, v);
      product(query, k + other, weight);
      product(cotangent, v + other, slope);
      each_score([&](int r) {
        weight[r] = machine_.exp(weight[r] - top[r]) * inverse[r];
        slope[r] = weight[r] * slope[r];
        along[r] += slope[r];
      });
      each_column([&](int c) {
        const L key = machine_.load(k + other + c * lanes);
        sum[c] += weight[score_of(c)] * key;
        bent[c] += slope[score_of(c)] * key;
      });
    }
    S* statistics = job_.statistics + row * 3 * batch_.heads;
    each_score([&](int r) {
      machine_.keep(statistics + r * lanes, top[r], kept());
      machine_.keep(statistics + batch_.heads + r * lanes, inverse[r], kept());
      machine_.keep(statistics + 2 * batch_.heads + r * lanes, along[r], kept());
    });
    each_column([&](int c) {
      const L gradient = (bent[c] - along[score_of(c)] * sum[c]) * batch_.scale;
      machine_.store(job_.to_q + row * batch_.width + c * lanes, gradient);
    });
  }

  // Gradients of k and v of node j, from the statistics of all rows.
  PHYSOLVE_HD void to_node(long sample, long j) const {
    const long node = sample * batch_.nodes + j, rows = sample * batch_.rows;
    L key[Columns::most], value[Columns::most], to_key[Columns::most], to_value[Columns::most];
    read(batch_.k + node * batch_.width, key);
    read(batch_.v + node * batch_.width, value);
    each_column([&](int c) {
      to_key[c] = to_value[c] = L{};
    });
    for (int e = batch_.transposed.begin[j]; e < batch_.transposed.begin[j + 1]; ++e) {
      const long row = rows + batch_.transposed.node[e];
      const S *q = batch_.q + row * batch_.width, *g = job_.cotangents + row * batch_.width;
      const S* statistics = job_.statistics + row * 3 * batch_.heads;
      L weight[Columns::most_scores], slope[Columns::most_scores];
      ahead(batch_.transposed, e, batch_.q + rows * batch_.width, job_.cotangents + rows * batch_.width);
      product(key, [&](int c) { return machine_.load(q + c * lanes) * batch_.scale; }, weight);  // as in forward
      product(value, g, slope);
      const auto of_row = [&](int which, int r) {
        return machine_.spread_padded(statistics + which * batch_.heads + r * lanes, batch_.heads);
      };
      each_score([&](int r) {
        weight[r] = machine_.exp(weight[r] - of_row(0, r)) * of_row(1, r);
        slope[r] = weight[r] * (slope[r] - of_row(2, r));
      });
      each_column([&](int c) {
        to_value[c] += weight[score_of(c)] * machine_.load(g + c * lanes);
        to_key[c] += slope[score_of(c)] * machine_.load(q + c * lanes);
      });
    }
    each_column([&](int c) {
      machine_.store(job_.to_k + node * batch_.width + c * lanes, to_key[c] * batch_.scale);
      machine_.store(job_.to_v + node * batch_.width + c * lanes, to_value[c]);
    });
  }

 private:
  // A few more edges of a row.
  PHYSOLVE_HD void extend(const int* nodes, int count, const L* query, const S* k, const S* v, L* sum, L* top,
                          L* total) const {
    L score[Columns::block][Columns::most_scores], peak[Columns::most_scores];
    each_score([&](int r) { peak[r] = top[r]; });
    PHYSOLVE_UNROLL
    for (int b = 0; b < Columns::block; ++b) {
      if (b >= count) break;
      product(query, k + long(nodes[b]) * batch_.width, score[b]);
      each_score([&](int r) { peak[r] = machine_.larger(peak[r], score[b][r]); });
    }
    L fade[Columns::most_scores];
    each_score([&](int r) {
      fade[r] = machine_.exp(top[r] - peak[r]);
      top[r] = peak[r];
      total[r] = total[r] * fade[r];
    });
    each_column([&](int c) { sum[c] = sum[c] * fade[score_of(c)]; });
    PHYSOLVE_UNROLL
    for (int b = 0; b < Columns::block; ++b) {
      if (b >= count) break;
      const S* value = v + long(nodes[b]) * batch_.width;
      each_score([&](int r) {
        score[b][r] = machine_.exp(score[b][r] - peak[r]);
        total[r] += score[b][r];
      });
      each_column([&](int c) { sum[c] += score[b][score_of(c)] * machine_.load(value + c * lanes); });
    }
  }

  // Rows of two arrays that will be needed a few edges after edge e. Measured with nodes numbered at random, 150,000 of
  // them with ten edges each: a tenth faster.
  PHYSOLVE_HD void ahead(const Rows32& mask, int e, const S* a, const S* b) const {
    if (e + AHEAD >= batch_.edges) return;
    const long other = long(mask.node[e + AHEAD]) * batch_.width;
    machine_.fetch(a + other, batch_.width);
    machine_.fetch(b + other, batch_.width);
  }

  // For every head the scalar product of two rows, one of them in registers.
  PHYSOLVE_HD void product(const L* a, const S* b, L* result) const {
    product(a, [&](int c) { return machine_.load(b + c * lanes); }, result);
  }

  // The other one as a function of the column.
  template <class Other>
  PHYSOLVE_HD void product(const L* a, Other b, L* result) const {
    each_score([&](int r) { result[r] = a[r] * b(r); });
    PHYSOLVE_UNROLL
    for (int c = columns_.scores(); c < columns_.columns(); ++c) result[score_of(c)] += a[c] * b(c);
    each_score([&](int r) { result[r] = machine_.fold(result[r], batch_.heads); });
  }

  PHYSOLVE_HD void read(const S* from, L* row) const {
    each_column([&](int c) { row[c] = machine_.load(from + c * lanes); });
  }

  template <class F>
  PHYSOLVE_HD void each_column(F f) const {
    PHYSOLVE_UNROLL
    for (int c = 0; c < columns_.columns(); ++c) f(c);
  }

  template <class F>
  PHYSOLVE_HD void each_score(F f) const {
    PHYSOLVE_UNROLL
    for (int r = 0; r < columns_.scores(); ++r) f(r);
  }

  PHYSOLVE_HD int score_of(int column) const { return column % columns_.scores(); }
  PHYSOLVE_HD int kept() const { return batch_.heads < lanes ? batch_.heads : lanes; }
  PHYSOLVE_HD S* norms_of(long row) const { return job_.norms + row * 2 * batch_.heads; }

  const AttentionBatch<S>& batch_;
  const AttentionJob<S>& job_;
  Columns columns_;
  Machine machine_;
};

PHYSOLVE_HD bool is_power_of_two(int n) { return n > 0 && (n & (n - 1)) == 0; }

// Whether vectors of `lanes` numbers can be folded head by head.
PHYSOLVE_HD bool heads_fit(int width, int heads, int lanes) {
  return lanes == 1 || (is_power_of_two(heads) && width % lanes == 0);
}

PHYSOLVE_HD int score_vectors(int heads, int lanes) { return heads > lanes ? heads / lanes : 1; }

}  // namespace physolve
