#include "study/start_outcome.hpp"

#include <sstream>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

namespace kinetune::store {

template <class Archive>
void serialize(Archive& archive, StartRow& r) {
  archive(r.id, r.source, r.x0, r.f0, r.n_redraws);
}

template <class Archive>
void serialize(Archive& archive, ResultRow& r) {
  archive(r.start_id, r.x, r.fval, r.fval0, r.gradient_norm, r.status, r.message, r.condition, r.time,
          r.n_iterations, r.n_fval, r.n_grad, r.n_hess, r.n_fallback, r.wall_seconds, r.cpu_seconds, r.rank);
}

template <class Archive>
void serialize(Archive& archive, TraceRow& r) {
  archive(r.iteration, r.n_fval, r.seconds, r.fval, r.gradient_norm, r.x);
}

}  // namespace kinetune::store

namespace kinetune::study {

std::string StartOutcome::to_bytes() const {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive{stream}(start, result, trace);
  return std::move(stream).str();
}

StartOutcome StartOutcome::from_bytes(std::string_view bytes) {
  std::istringstream stream{std::string(bytes)};
  StartOutcome outcome;
  cereal::PortableBinaryInputArchive{stream}(outcome.start, outcome.result, outcome.trace);
  return outcome;
}

}  // namespace kinetune::study
