#include <algorithm>

#include "core/error.hpp"
#include "generate/controls.hpp"

namespace kinetune::generate {

std::vector<std::size_t> best_rows(const DataSet& data, const GeneratorOptions& options, std::size_t count) {
  const std::vector<double> labels = labels_of(data, options);
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data.outcome[i] == Outcome::evaluated) rows.push_back(i);
  }
  std::ranges::stable_sort(rows, {}, [&](std::size_t i) { return labels[i]; });
  rows.resize(std::min(count, rows.size()));
  return rows;
}

std::vector<std::size_t> best_quarter(const DataSet& data, const GeneratorOptions& options) {
  return best_rows(data, options, (data.n_evaluated() + 3) / 4);
}

std::expected<TrainingEnd, TrainingFailure> BestPoints::train(const DataSet& data, TrainingObserver&) {
  begin_data(data);
  x_.clear();
  for (const std::size_t i : best_rows(data, options_, data.size()))
    x_.insert(x_.end(), data.point(i).begin(), data.point(i).end());
  return TrainingEnd::all_epochs;
}

std::vector<double> BestPoints::sample(Condition, std::size_t n, core::RandomStream&) {
  if (x_.empty()) throw core::Error({}, "the model is not trained", "train it before sampling");
  std::vector<double> x;
  const std::size_t wanted = n * parameter_ids_.size();
  while (x.size() < wanted) {
    const std::size_t part = std::min(x_.size(), wanted - x.size());
    x.insert(x.end(), x_.begin(), x_.begin() + static_cast<std::ptrdiff_t>(part));
  }
  return x;
}

void BestPoints::add_to(store::Batch& batch) const {
  Generator::add_to(batch);
  if (x_.empty()) return;
  batch.replace({"/best_points/x",
                 store::ElementType::float64,
                 "points of the data, best first",
                 "",
                 {parameter_ids_.size()}},
                x_);
}

void BestPoints::restore(const store::H5File& file) {
  if (file.has("/best_points/x")) x_ = file.read<double>("/best_points/x");
}

}  // namespace kinetune::generate
