#include "generate/data.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

#include "core/checksum.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "generate/streams.hpp"
#include "store/durable_file.hpp"
#include "store/h5_file.hpp"
#include "store/run_reader.hpp"

namespace kinetune::generate {
namespace {

using store::ElementType;
namespace fs = std::filesystem;

const std::vector<std::string> kind_labels{"rate", "scaling", "noise", "initial_value"};
const std::vector<std::string> outcome_labels{"evaluated", "failed"};

template <class E>
std::vector<std::int8_t> codes(const std::vector<E>& values) {
  std::vector<std::int8_t> result;
  for (const E value : values) result.push_back(static_cast<std::int8_t>(value));
  return result;
}

template <class E>
std::vector<E> decoded(const std::vector<std::int8_t>& codes) {
  std::vector<E> result;
  for (const std::int8_t code : codes) result.push_back(static_cast<E>(code));
  return result;
}

/// PEtab does not say what a parameter is for; its id often does.
ParameterKind kind_by_id(std::string id) {
  std::ranges::transform(id, id.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto has = [&](std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(words, [&](std::string_view word) { return id.find(word) != id.npos; });
  };
  if (has({"sigma", "noise", "sd_"})) return ParameterKind::noise;
  if (has({"scal", "offset"})) return ParameterKind::scaling;
  if (has({"init", "_0"})) return ParameterKind::initial_value;
  return ParameterKind::rate;
}

/// Adds points that are on the parameters' scale.
class RunPoints {
 public:
  RunPoints(const std::vector<store::ParameterRow>& parameters, const std::string& file) {
    for (const auto& parameter : parameters) {
      const double width = parameter.upper_bound - parameter.lower_bound;
      if (!std::isfinite(width) || width < 0) {
        throw core::Error({file, 0}, fmt::format("parameter {} has no finite bounds", parameter.id),
                          "generative models work in the unit box; give it bounds");
      }
      data_.parameter_ids.push_back(parameter.id);
      data_.kinds.push_back(kind_by_id(parameter.id));
      lower_.push_back(parameter.lower_bound);
      width_.push_back(width);
    }
  }

  void add(std::uint64_t run, std::span<const double> x, double fval) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double unit = width_[i] > 0 ? (x[i] - lower_[i]) / width_[i] : 0.5;
      data_.x.push_back(std::clamp(unit, 0.0, 1.0));  // a bound may be missed by rounding
    }
    data_.fval.push_back(fval);
    data_.outcome.push_back(std::isfinite(fval) ? Outcome::evaluated : Outcome::failed);
    data_.run.push_back(run);
  }

  DataSet take() { return std::move(data_); }

 private:
  DataSet data_;
  std::vector<double> lower_, width_;
};

DataSet read_run(const fs::path& path) {
  const store::RunReader reader(path);
  RunPoints points(reader.parameters(), path.string());
  std::map<std::uint64_t, store::ResultRow> results;
  for (auto& result : reader.results()) results.emplace(result.start_id, std::move(result));
  for (const store::StartRow& start : reader.starts()) {
    const auto trace = reader.trace(start.id);
    if (trace.empty() || trace.front().iteration > 0) points.add(start.id, start.x0, start.f0);
    for (const auto& iterate : trace) points.add(start.id, iterate.x, iterate.fval);
    const auto result = results.find(start.id);
    if (result == results.end() || result->second.status == store::StartStatus::failed) continue;
    if (trace.empty() || trace.back().x != result->second.x)
      points.add(start.id, result->second.x, result->second.fval);
  }
  return points.take();
}

DataSet read_training_set(const store::H5File& file) {
  DataSet data;
  data.parameter_ids = file.read<std::string>("/parameters/id");
  data.kinds = file.has("/parameters/kind")
                   ? decoded<ParameterKind>(file.read<std::int8_t>("/parameters/kind"))
                   : std::vector<ParameterKind>(data.n_x(), ParameterKind::rate);
  data.x = file.read<double>("/points/x");
  data.fval = file.read<double>("/points/fval");
  data.outcome = file.has("/points/outcome") ? decoded<Outcome>(file.read<std::int8_t>("/points/outcome"))
                                             : std::vector<Outcome>(data.size(), Outcome::evaluated);
  data.run = file.read<std::uint64_t>("/points/run");
  if (file.has("/points/label")) data.label = file.read<double>("/points/label");
  return data;
}

void check_shape(const DataSet& data, const std::string& file) {
  const std::size_t n = data.size();
  if (n == 0) {
    throw core::Error({file, 0}, "holds no points", "let kinetune fit finish some starts before training");
  }
  if (data.n_x() == 0) {
    throw core::Error({file, 0}, "holds no parameters", "name at least one in /parameters/id");
  }
  const auto same = [&](std::size_t size, std::size_t expected, const char* column) {
    if (size != expected) {
      throw core::Error({file, 0}, fmt::format("{} has {} elements, not {}", column, size, expected),
                        "columns of one group have a row each for the same points");
    }
  };
  same(data.kinds.size(), data.n_x(), "/parameters/kind");
  same(data.x.size(), n * data.n_x(), "/points/x");
  same(data.outcome.size(), n, "/points/outcome");
  same(data.run.size(), n, "/points/run");
  if (!data.label.empty()) same(data.label.size(), n, "/points/label");
}

void check_point(const DataSet& data, std::size_t i, const std::string& file) {
  const auto fail = [&](const std::string& what, const char* suggestion) {
    throw core::Error({file, 0}, fmt::format("point {}: {}", i, what), suggestion);
  };
  for (std::size_t j = 0; j < data.n_x(); ++j) {
    const double value = data.point(i)[j];
    if (!(value >= 0 && value <= 1)) {
      fail(fmt::format("{} is {}", data.parameter_ids[j], value), "x is in the unit box, 0 to 1");
    }
  }
  if (data.fval[i] == -INFINITY) fail("fval is -inf", "no objective is that good; see what computed it");
  if (!data.label.empty() && !(data.label[i] >= 0 && data.label[i] <= 1)) {
    fail(fmt::format("label is {}", data.label[i]), "labels are from 0 (best) to 1");
  }
}

}  // namespace

std::size_t DataSet::n_evaluated() const {
  return static_cast<std::size_t>(std::ranges::count(outcome, Outcome::evaluated));
}

void check(DataSet& data, const std::string& file) {
  check_shape(data, file);
  for (std::size_t i = 0; i < data.size(); ++i) {
    check_point(data, i, file);
    if (!std::isfinite(data.fval[i])) data.outcome[i] = Outcome::failed;
  }
  if (data.n_evaluated() == 0) {
    throw core::Error({file, 0}, "all of its evaluations failed",
                      "nothing can be learnt from that; see why they fail with kinetune evaluate");
  }
}

DataSet read_data(const fs::path& path) {
  if (!fs::exists(path)) throw core::Error({path.string(), 0}, "no such file", "check the path");
  const store::H5File file(path, store::Access::read);
  DataSet data;
  if (file.has("/points/x")) {
    data = read_training_set(file);
  } else if (file.has("/problem/parameter_ids")) {
    data = read_run(path);
  } else {
    throw core::Error({path.string(), 0}, "is neither a training set nor a run file",
                      "a training set has /points/x, see docs/formats.md");
  }
  check(data, path.string());
  return data;
}

store::Batch data_batch(const DataSet& data) {
  store::Batch batch;
  const std::uint64_t n_x = data.n_x();
  batch.append({"/parameters/id", ElementType::text, "ids, in the order of every x"}, data.parameter_ids);
  batch.append(
      {"/parameters/kind", ElementType::category, "what the parameter is in its model", "", {}, kind_labels},
      codes(data.kinds));
  batch.append(
      {"/points/x", ElementType::float64, "vectors in the unit box of the optimisation scale", "", {n_x}},
      data.x);
  batch.append({"/points/fval", ElementType::float64, "objective, NaN where it failed"}, data.fval);
  batch.append({"/points/outcome", ElementType::category, "how the evaluation ended", "", {}, outcome_labels},
               codes(data.outcome));
  batch.append({"/points/run", ElementType::uint64, "the local optimisation that the point belongs to"},
               data.run);
  if (!data.label.empty()) {
    batch.append({"/points/label", ElementType::float64, "label that replaces the one from fval; 0 is best"},
                 data.label);
  }
  batch.set_attribute("/", "kinetune_training_set", std::uint64_t{1});
  return batch;
}

void write_data(const fs::path& path, const DataSet& data) {
  store::DurableFile::create(path, store::Overwrite::yes, data_batch(data));
}

Split split_by_run(const DataSet& data, double validation_share, std::uint64_t seed) {
  std::map<std::uint64_t, std::vector<std::size_t>> runs;
  for (std::size_t i = 0; i < data.size(); ++i) runs[data.run[i]].push_back(i);
  std::vector<std::uint64_t> order;
  for (const auto& [run, rows] : runs) order.push_back(run);
  core::RandomStream random = stream(seed, Stream::split, 0);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);

  Split split;
  const double wanted = validation_share * static_cast<double>(data.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool last_for_training = split.train.empty() && i + 1 == order.size();
    const auto& rows = runs[order[i]];
    const double with_half = static_cast<double>(split.validation.size()) + 0.5 * rows.size();
    auto& side = with_half <= wanted && !last_for_training ? split.validation : split.train;
    side.insert(side.end(), rows.begin(), rows.end());
  }
  std::ranges::sort(split.train);
  std::ranges::sort(split.validation);
  return split;
}

DataSet subset(const DataSet& data, std::span<const std::size_t> rows) {
  DataSet part;
  part.parameter_ids = data.parameter_ids;
  part.kinds = data.kinds;
  for (const std::size_t i : rows) {
    part.x.insert(part.x.end(), data.point(i).begin(), data.point(i).end());
    part.fval.push_back(data.fval[i]);
    part.outcome.push_back(data.outcome[i]);
    part.run.push_back(data.run[i]);
    if (!data.label.empty()) part.label.push_back(data.label[i]);
  }
  return part;
}

std::vector<double> run_weights(const DataSet& data, std::span<const std::size_t> rows, double evenness) {
  std::map<std::uint64_t, double> length;
  for (const std::size_t i : rows) length[data.run[i]] += 1;
  std::vector<double> weights;
  for (const std::size_t i : rows) weights.push_back(std::pow(length[data.run[i]], -evenness));
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / static_cast<double>(rows.size());
  for (double& weight : weights) weight /= mean;
  return weights;
}

std::string fingerprint(const DataSet& data) {
  std::string bytes;
  const auto add = [&]<class T>(const std::vector<T>& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  };
  add(data.x);
  add(data.fval);
  add(data.run);
  add(data.label);
  return core::checksum(bytes);
}

}  // namespace kinetune::generate
