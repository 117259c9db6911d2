#include "sample/sampler.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"
#include "sample/streams.hpp"

namespace kinetune::sample {

void SamplerOptions::extend(std::uint64_t n) {
  if (n < n_starts)
    throw core::Error({}, fmt::format("{} starts for a study that has {}", n, n_starts),
                      "a study can be given more starts, not fewer");
  if (n > n_starts) extended_at.push_back(n_starts);
  n_starts = n;
}

void SamplerOptions::validate() const {
  if (n_starts == 0) throw core::Error({}, "no starts are asked for", "ask for one at least");
  for (std::size_t i = 0; i < extended_at.size(); ++i) {
    const std::uint64_t before = i == 0 ? 0 : extended_at[i - 1];
    if (extended_at[i] <= before || extended_at[i] >= n_starts)
      throw core::Error({}, fmt::format("extended at {} starts of {}", extended_at[i], n_starts),
                        "the numbers must rise and stay below that of all starts");
  }
}

Sampler::Sampler(const SamplerOptions& options, Box box) : options_(options), box_(std::move(box)) {
  options.validate();
  std::uint64_t first = 0;
  for (std::size_t i = 0; i <= options.extended_at.size(); ++i) {
    const std::uint64_t end = i < options.extended_at.size() ? options.extended_at[i] : options.n_starts;
    designs_.push_back(make_design(options.method, {options.seed, i, first, end - first}, box_.size()));
    first = end;
  }
}

std::vector<double> Sampler::sample(std::uint64_t id) const {
  if (id >= options_.n_starts)
    throw core::Error({}, fmt::format("there is no start {} among {}", id, options_.n_starts),
                      "ids begin at 0");
  const auto block = std::ranges::upper_bound(options_.extended_at, id) - options_.extended_at.begin();
  return box_.at(designs_[static_cast<std::size_t>(block)]->point(id));
}

std::vector<double> Sampler::redraw(std::uint64_t id, std::uint64_t attempt) const {
  auto stream = random_stream(options_.seed, StreamPurpose::redraw, id);
  std::vector<double> unit(box_.size());
  for (std::uint64_t i = 0; i <= attempt; ++i)
    for (double& u : unit) u = stream.uniform();
  return box_.at(unit);
}

}  // namespace kinetune::sample
