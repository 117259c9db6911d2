#include "simulate/rosenbrock_sensitivities.hpp"

#include <algorithm>
#include <cmath>

#include "simulate/simd.hpp"

namespace kinetune::simulate {
namespace {

struct RowsView {
  const int* starts;
  const int* columns;
  const int* values;
};

/// One stage's right-hand sides for a block of columns.
struct StageTask {
  int n, stage;
  const double* a;         // (stage)
  const double* c_over_h;  // (stage, width)
  RowsView jacobian, second;
  const double* jacobian_values;  // at the stage
  const double* second_values;    // of all stages
  const double* start;
  const double* right_hand_side;  // what has been gathered
  const double* stages;           // one after the other
  double* y;
  double* out;
};

/// @tparam width    integrations side by side
/// @tparam n_packs  in a row: of one integration packs of eight columns, of several a column each
template <int width, int n_packs>
inline KINETUNE_LOOPS void compute_stage(const StageTask& task) {
  constexpr int wide = width == 1 ? 8 : width;
  using Value = Pack<width>;
  const auto at = [](auto* base, std::ptrdiff_t row) KINETUNE_LOOPS { return base + row * n_packs * wide; };
  for (int r = 0; r < task.n; ++r) {
    Pack<wide> y[n_packs], g[n_packs];
    for (int p = 0; p < n_packs; ++p) {
      y[p] = pack<wide>(at(task.start, r), p);
      g[p] = pack<wide>(at(task.right_hand_side, r), p);
    }
    for (int j = 0; j < task.stage; ++j) {
      const double* u = at(task.stages, static_cast<std::ptrdiff_t>(j) * task.n + r);
      const Value c = pack<width>(task.c_over_h, j);
      for (int p = 0; p < n_packs; ++p) {
        y[p] += task.a[j] * pack<wide>(u, p);
        g[p] += c * pack<wide>(u, p);
      }
    }
    for (int p = 0; p < n_packs; ++p) {
      pack<wide>(at(task.y, r), p) = y[p];
      pack<wide>(at(task.out, r), p) = g[p];
    }
  }
  for (int r = 0; r < task.n; ++r) {
    Pack<wide> g[n_packs];
    for (int p = 0; p < n_packs; ++p) g[p] = pack<wide>(at(task.out, r), p);
    for (int e = task.jacobian.starts[r]; e < task.jacobian.starts[r + 1]; ++e) {
      const double* y = at(task.y, task.jacobian.columns[e]);
      const Value value = pack<width>(task.jacobian_values, task.jacobian.values[e]);
      for (int p = 0; p < n_packs; ++p) g[p] += value * pack<wide>(y, p);
    }
    for (int e = task.second.starts[r]; e < task.second.starts[r + 1]; ++e) {
      const double* s = at(task.start, task.second.columns[e]);
      const Value value =
          pack<width>(task.second_values, task.second.values[e] * StageCurvature::n_together + task.stage);
      for (int p = 0; p < n_packs; ++p) g[p] += value * pack<wide>(s, p);
    }
    for (int p = 0; p < n_packs; ++p) pack<wide>(at(task.out, r), p) = g[p];
  }
}

KINETUNE_SIMD void compute_stage(int width, std::size_t n_packs, const StageTask& task) {
  with_width(width, [&]<int w>() KINETUNE_LOOPS {
    n_packs == 4   ? compute_stage<w, 4>(task)
    : n_packs == 2 ? compute_stage<w, 2>(task)
                   : compute_stage<w, 1>(task);
  });
}

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
      width_(stages.width()),
      jacobian_(rows_of(model_.code().jacobian)),
      second_(rows_of(model_.code().curvature.by_state.pattern)),
      curvature_(model_, stages.kernels()),
      active_(width_),
      c_over_h_(static_cast<std::size_t>(RosenbrockScheme::max_stages) * width_) {}

void RosenbrockSensitivities::begin(std::size_t n_columns) {
  if (n_columns == n_columns_) return;
  n_columns_ = n_columns;
  blocks_.clear();
  start_.clear();
  for (auto& active : active_) active.clear();
  const std::size_t of_pack = width_ == 1 ? 8 : 1, most = width_ == 1 ? 2 : 4;
  for (std::size_t column = 0; column < n_columns;) {
    std::size_t n_packs = most;
    while (n_packs > 1 && n_columns - column <= n_packs / 2 * of_pack) n_packs /= 2;
    add_block(column, n_packs * of_pack);
    column += n_packs * of_pack;
  }
  end_.resize(start_.size());
  stages_.resize(start_.size() * scheme_.n_stages);
}

void RosenbrockSensitivities::add_block(std::size_t first_column, std::size_t n_columns) {
  blocks_.push_back({first_column, n_columns, start_.size(), std::vector<std::vector<Entry>>(width_)});
  start_.resize(start_.size() + n_ * row_length(blocks_.back()));
}

/// Calls use(index into start_ or end_, index of the same in the blocks' stages, state, column) for the
/// numbers of a lane.
template <class Use>
void RosenbrockSensitivities::for_each_number(int lane, Use&& use) const {
  const std::size_t n_active = active_[lane].size();
  for (const Block& block : blocks_) {
    if (block.first_column >= n_active) return;
    const std::size_t n_columns = std::min(block.n_columns, n_active - block.first_column);
    for (int i = 0; i < n_; ++i) {
      for (std::size_t c = 0; c < n_columns; ++c) {
        const std::size_t within = i * row_length(block) + c * width_ + lane;
        use(block, within, i, block.first_column + c);
      }
    }
  }
}

void RosenbrockSensitivities::load(std::span<const int> active, std::span<const double> sensitivities,
                                   int lane) {
  if (!std::ranges::equal(active, active_[lane])) {
    active_[lane].assign(active.begin(), active.end());
    choose_entries(active, lane);
  }
  for (std::size_t at = lane; at < start_.size(); at += width_) start_[at] = 0.0;
  for_each_number(lane, [&](const Block& block, std::size_t within, int i, std::size_t column) {
    start_[block.offset + within] = sensitivities[i * active.size() + column];
  });
}

void RosenbrockSensitivities::choose_entries(std::span<const int> active, int lane) {
  const auto all = parameter_entries(model_.code(), active);
  for (Block& block : blocks_) {
    block.entries[lane].clear();
    for (const ParameterEntry& entry : all) {
      const auto column = static_cast<std::size_t>(entry.column);
      if (column < block.first_column || column >= block.first_column + block.n_columns) continue;
      block.entries[lane].push_back(
          {entry.row * row_length(block) + (column - block.first_column) * width_ + lane,
           static_cast<std::size_t>(entry.first) * width_ + lane,
           static_cast<std::size_t>(entry.second) * StageCurvature::n_together * width_ + lane});
    }
  }
}

void RosenbrockSensitivities::step(const double* t, const double* h, const double* x, const double* prelude,
                                   const double* stages, RosenbrockStages& states) {
  curvature_.evaluate(t, x, prelude, stages, scheme_.n_stages);
  curvature_.leave_out_by([this](int state, int lane) { return rests(state, lane); });
  for (const Block& block : blocks_) step_block(block, h, states);
}

/// Whether no column moves a state at the step's start.
bool RosenbrockSensitivities::rests(int state, int lane) const {
  return std::ranges::all_of(blocks_, [&](const Block& block) {
    const double* row = start_.data() + block.offset + state * row_length(block);
    bool rests = true;
    for (std::size_t i = lane; i < row_length(block); i += width_) rests &= row[i] == 0.0;
    return rests;
  });
}

void RosenbrockSensitivities::step_block(const Block& block, const double* h, RosenbrockStages& states) {
  const std::size_t length = n_ * row_length(block);
  double* stages = stages_.data() + block.offset * scheme_.n_stages;
  double* end = end_.data() + block.offset;
  right_hand_side_.assign(length, 0.0);
  const auto view = [](const Rows& rows) {
    return RowsView{rows.starts.data(), rows.columns.data(), rows.values.data()};
  };
  for (int i = 0; i < scheme_.n_stages; ++i) {
    const double* by_parameter = states.by_parameter(i);
    const double* second = curvature_.by_parameter() + static_cast<std::ptrdiff_t>(i) * width_;
    for (const auto& of_lane : block.entries) {
      for (const Entry& entry : of_lane)
        right_hand_side_[entry.target] = by_parameter[entry.first] + second[entry.second];
    }
    for (int j = 0; j < i; ++j) {
      for (int lane = 0; lane < width_; ++lane) c_over_h_[j * width_ + lane] = scheme_.c[i][j] / h[lane];
    }
    const StageTask task{n_,
                         i,
                         scheme_.a[i].data(),
                         c_over_h_.data(),
                         view(jacobian_),
                         view(second_),
                         states.jacobian(i),
                         curvature_.by_state(),
                         start_.data() + block.offset,
                         right_hand_side_.data(),
                         stages,
                         end,
                         stages + i * length};
    compute_stage(width_, width_ == 1 ? block.n_columns / 8 : block.n_columns, task);
    states.matrix().solve_block(task.out, static_cast<int>(block.n_columns));
  }
  const double* last = stages + (scheme_.n_stages - 1) * length;
  for (std::size_t k = 0; k < length; ++k) end[k] += last[k];
}

double RosenbrockSensitivities::error_norm(const IntegratorOptions& options, const double* x,
                                           std::span<const double> sizes, int lane) const {
  constexpr double state_share = 0.1;
  std::vector<double> sums(active_[lane].size());
  for_each_number(lane, [&](const Block& block, std::size_t within, int i, std::size_t column) {
    const std::size_t length = n_ * row_length(block), at = block.offset + within;
    const double error = stages_[block.offset * scheme_.n_stages + (scheme_.n_stages - 1) * length + within];
    const double size = std::fabs(sizes[column]);
    const double floor = options.atol + state_share * options.rtol * std::fabs(x[i * width_ + lane]);
    const double own = options.rtol * std::max(std::fabs(start_[at]), std::fabs(end_[at]));
    const double relative = error / (own + floor / (size > 0.0 ? size : 1.0));
    sums[column] += relative * relative;
  });
  double largest = 0.0;
  for (const double sum : sums) largest = std::max(largest, std::sqrt(sum / n_));
  return largest;
}

void RosenbrockSensitivities::interpolate(const DenseWeights& weights, std::span<double> out,
                                          int lane) const {
  for_each_number(lane, [&](const Block& block, std::size_t within, int i, std::size_t column) {
    const std::size_t length = n_ * row_length(block), at = block.offset + within;
    const double* u = &stages_[block.offset * scheme_.n_stages + within];
    double sum = weights.start * start_[at] + weights.end * end_[at];
    for (int j = 0; j < scheme_.n_stages; ++j) sum += weights.stages[j] * u[j * length];
    out[i * active_[lane].size() + column] = sum;
  });
}

void RosenbrockSensitivities::accept(LaneBits lanes) {
  if (lanes == all_lanes(width_)) {
    start_.swap(end_);
    return;
  }
  for (int lane = 0; lane < width_; ++lane) {
    if (!has_lane(lanes, lane)) continue;
    for (std::size_t at = lane; at < start_.size(); at += width_) start_[at] = end_[at];
  }
}

void RosenbrockSensitivities::copy_start(std::span<double> out, int lane) const {
  for_each_number(lane, [&](const Block& block, std::size_t within, int i, std::size_t column) {
    out[i * active_[lane].size() + column] = start_[block.offset + within];
  });
}

std::vector<double> column_sizes(const Segment& segment, const jit::ModelCode& code) {
  if (!segment.sizes.empty()) return {segment.sizes.begin(), segment.sizes.end()};
  std::vector<double> sizes;
  for (const int j : segment.active)
    sizes.push_back(j < 0 ? 0.0 : segment.parameters[code.differentiated[j]]);
  return sizes;
}

}  // namespace kinetune::simulate
