#include "simulate/rosenbrock_sensitivities.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

constexpr int columns_of_pack = 8;
using Vector = Pack<columns_of_pack>;

struct RowsView {
  const int* starts;
  const int* columns;
  const int* values;
};

/// One stage's right-hand sides for a block of columns.
struct StageTask {
  int n, stage;
  const double* a;         // (stage)
  const double* c_over_h;  // (stage)
  RowsView jacobian, second;
  const double* jacobian_values;  // at the stage
  const double* second_values;    // of all stages
  const double* start;
  const double* right_hand_side;  // what has been gathered
  const double* stages;           // one after the other
  double* y;
  double* out;
};

/// @tparam width  packs of eight columns in a row
template <int width>
inline __attribute__((always_inline)) void compute_stage(const StageTask& task) {
  const auto at = [](const double* base, std::ptrdiff_t row) {
    return reinterpret_cast<const Vector*>(base + row * width * columns_of_pack);
  };
  const auto write = [](double* base, std::ptrdiff_t row) {
    return reinterpret_cast<Vector*>(base + row * width * columns_of_pack);
  };
  for (int r = 0; r < task.n; ++r) {
    Vector y[width], g[width];
    for (int w = 0; w < width; ++w) {
      y[w] = at(task.start, r)[w];
      g[w] = at(task.right_hand_side, r)[w];
    }
    for (int j = 0; j < task.stage; ++j) {
      const Vector* u = at(task.stages, static_cast<std::ptrdiff_t>(j) * task.n + r);
      for (int w = 0; w < width; ++w) {
        y[w] += task.a[j] * u[w];
        g[w] += task.c_over_h[j] * u[w];
      }
    }
    for (int w = 0; w < width; ++w) {
      write(task.y, r)[w] = y[w];
      write(task.out, r)[w] = g[w];
    }
  }
  for (int r = 0; r < task.n; ++r) {
    Vector g[width];
    for (int w = 0; w < width; ++w) g[w] = at(task.out, r)[w];
    for (int e = task.jacobian.starts[r]; e < task.jacobian.starts[r + 1]; ++e) {
      const Vector* y = at(task.y, task.jacobian.columns[e]);
      const double value = task.jacobian_values[task.jacobian.values[e]];
      for (int w = 0; w < width; ++w) g[w] += value * y[w];
    }
    for (int e = task.second.starts[r]; e < task.second.starts[r + 1]; ++e) {
      const Vector* s = at(task.start, task.second.columns[e]);
      const double value =
          task.second_values[task.second.values[e] * StageCurvature::n_together + task.stage];
      for (int w = 0; w < width; ++w) g[w] += value * s[w];
    }
    for (int w = 0; w < width; ++w) write(task.out, r)[w] = g[w];
  }
}

KINETUNE_SIMD void compute_stage_of_8(const StageTask& task) { compute_stage<1>(task); }
KINETUNE_SIMD void compute_stage_of_16(const StageTask& task) { compute_stage<2>(task); }

}  // namespace

RosenbrockSensitivities::Rows RosenbrockSensitivities::rows_of(const jit::Pattern& pattern) {
  std::vector<std::vector<std::pair<int, int>>> rows(pattern.n_rows);
  for (int j = 0; j < pattern.n_cols; ++j) {
    for (int e = pattern.column_starts[j]; e < pattern.column_starts[j + 1]; ++e)
      rows[pattern.rows[e]].emplace_back(j, e);
  }
  Rows result{{0}, {}, {}};
  for (const auto& row : rows) {
    for (const auto& [column, value] : row) {
      result.columns.push_back(column);
      result.values.push_back(value);
    }
    result.starts.push_back(static_cast<int>(result.columns.size()));
  }
  return result;
}

RosenbrockSensitivities::RosenbrockSensitivities(const RosenbrockStages& stages)
    : model_(stages.model()),
      scheme_(stages.scheme()),
      n_(model_.n_states()),
      jacobian_(rows_of(model_.code().jacobian)),
      second_(rows_of(model_.code().curvature.by_state.pattern)),
      curvature_(model_, stages.kernels()) {}

void RosenbrockSensitivities::begin(std::span<const int> active, std::span<const double> sensitivities) {
  if (!std::ranges::equal(active, active_)) {
    active_.assign(active.begin(), active.end());
    n_active_ = static_cast<int>(active.size());
    entries_ = parameter_entries(model_.code(), active);
    blocks_.clear();
    start_.clear();
    for (int column = 0; column < n_active_;) {
      const int n_packs = n_active_ - column > columns_of_pack ? 2 : 1;
      add_block(column, n_packs);
      column += n_packs * columns_of_pack;
    }
    end_.resize(start_.size());
    stages_.resize(start_.size() * scheme_.n_stages);
  }
  for (const Block& block : blocks_) {
    const int width = block.n_packs * columns_of_pack;
    double* to = &start_[block.offset];
    for (int i = 0; i < n_; ++i) {
      for (int c = 0; c < width; ++c) {
        const int column = block.first_column + c;
        to[i * width + c] =
            column < n_active_ ? sensitivities[static_cast<std::size_t>(i) * n_active_ + column] : 0.0;
      }
    }
  }
}

void RosenbrockSensitivities::add_block(int first_column, int n_packs) {
  Block block{first_column, n_packs, start_.size(), {}, {}};
  const int width = n_packs * columns_of_pack;
  for (const ParameterEntry& entry : entries_) {
    const int column = entry.column - first_column;
    if (column < 0 || column >= width) continue;
    block.entries.push_back(entry);
    block.targets.push_back(entry.row * width + column);
  }
  blocks_.push_back(std::move(block));
  start_.resize(start_.size() + static_cast<std::size_t>(n_) * width);
}

void RosenbrockSensitivities::step(double t, double h, const double* x, const double* prelude,
                                   const double* stages, RosenbrockStages& states) {
  curvature_.evaluate(&t, x, prelude, stages, scheme_.n_stages);
  for (const Block& block : blocks_) step_block(block, h, states);
}

void RosenbrockSensitivities::step_block(const Block& block, double h, RosenbrockStages& states) {
  const std::size_t length = static_cast<std::size_t>(n_) * block.n_packs * columns_of_pack;
  double* stages = stages_.data() + block.offset * scheme_.n_stages;
  double* end = end_.data() + block.offset;
  right_hand_side_.assign(length, 0.0);
  const auto view = [](const Rows& rows) {
    return RowsView{rows.starts.data(), rows.columns.data(), rows.values.data()};
  };
  for (int i = 0; i < scheme_.n_stages; ++i) {
    double* gathered = right_hand_side_.data();
    const double* by_parameter = states.by_parameter(i);
    for (std::size_t e = 0; e < block.entries.size(); ++e) {
      const ParameterEntry& entry = block.entries[e];
      gathered[block.targets[e]] = by_parameter[entry.first] +
                                   curvature_.by_parameter()[entry.second * StageCurvature::n_together + i];
    }
    RosenbrockScheme::Row c_over_h;
    for (int j = 0; j < i; ++j) c_over_h[j] = scheme_.c[i][j] / h;
    const StageTask task{n_,
                         i,
                         scheme_.a[i].data(),
                         c_over_h.data(),
                         view(jacobian_),
                         view(second_),
                         states.jacobian(i),
                         curvature_.by_state(),
                         start_.data() + block.offset,
                         right_hand_side_.data(),
                         stages,
                         end,
                         stages + i * length};
    block.n_packs == 2 ? compute_stage_of_16(task) : compute_stage_of_8(task);
    states.matrix().solve_block(task.out, block.n_packs * columns_of_pack);
  }
  const double* last = stages + (scheme_.n_stages - 1) * length;
  for (std::size_t k = 0; k < length; ++k) end[k] += last[k];
}

double RosenbrockSensitivities::error_norm(const IntegratorOptions& options, const double* x,
                                           std::span<const double> sizes) const {
  constexpr double state_share = 0.1;
  double largest = 0.0;
  for (const Block& block : blocks_) {
    const int width = block.n_packs * columns_of_pack;
    const std::size_t length = static_cast<std::size_t>(n_) * width;
    const double* errors = &stages_[block.offset * scheme_.n_stages] + (scheme_.n_stages - 1) * length;
    const double *start = &start_[block.offset], *end = &end_[block.offset];
    for (int c = 0; c < std::min(width, n_active_ - block.first_column); ++c) {
      const double size = std::fabs(sizes[block.first_column + c]);
      double sum = 0.0;
      for (int i = 0; i < n_; ++i) {
        const std::size_t at = static_cast<std::size_t>(i) * width + c;
        const double floor = options.atol + state_share * options.rtol * std::fabs(x[i]);
        const double own = options.rtol * std::max(std::fabs(start[at]), std::fabs(end[at]));
        const double relative = errors[at] / (own + floor / (size > 0.0 ? size : 1.0));
        sum += relative * relative;
      }
      largest = std::max(largest, std::sqrt(sum / n_));
    }
  }
  return largest;
}

void RosenbrockSensitivities::interpolate(const DenseWeights& weights, std::span<double> out) const {
  for (const Block& block : blocks_) {
    const int width = block.n_packs * columns_of_pack;
    const std::size_t length = static_cast<std::size_t>(n_) * width;
    const double* start = &start_[block.offset];
    const double* end = &end_[block.offset];
    const double* stages = &stages_[block.offset * scheme_.n_stages];
    const int n_columns = std::min(width, n_active_ - block.first_column);
    for (int i = 0; i < n_; ++i) {
      double* row = out.data() + static_cast<std::size_t>(i) * n_active_ + block.first_column;
      const std::size_t at = static_cast<std::size_t>(i) * width;
      for (int c = 0; c < n_columns; ++c) row[c] = weights.start * start[at + c] + weights.end * end[at + c];
      for (int j = 0; j < scheme_.n_stages; ++j) {
        const double* u = stages + j * length + at;
        for (int c = 0; c < n_columns; ++c) row[c] += weights.stages[j] * u[c];
      }
    }
  }
}

void RosenbrockSensitivities::copy_start(std::span<double> out) const {
  for (const Block& block : blocks_) {
    const int width = block.n_packs * columns_of_pack;
    const double* start = &start_[block.offset];
    const int n_columns = std::min(width, n_active_ - block.first_column);
    for (int i = 0; i < n_; ++i) {
      std::copy_n(start + static_cast<std::ptrdiff_t>(i) * width, n_columns,
                  out.begin() + static_cast<std::ptrdiff_t>(i) * n_active_ + block.first_column);
    }
  }
}

}  // namespace kinetune::simulate
