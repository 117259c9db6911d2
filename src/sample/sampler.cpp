#include "sample/sampler.hpp"

#include <utility>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::sample {

Sampler::Sampler(const SamplerOptions& options, Box box)
    : n_starts_(options.n_starts), box_(std::move(box)), design_(make_design(options, box_.size())) {}

std::vector<double> Sampler::sample(std::uint64_t id) const {
  if (id >= n_starts_)
    throw core::Error({}, fmt::format("there is no start {} among {}", id, n_starts_), "ids begin at 0");
  return box_.at(design_->point(id));
}

}  // namespace kinetune::sample
