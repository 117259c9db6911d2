#include "estimate/problem.hpp"

#include <cmath>
#include <numbers>
#include <sstream>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/optional.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

namespace kinetune::petab {

template <class Archive>
void serialize(Archive& archive, Prior& p) {
  archive(p.type, p.first, p.second, p.truncated_below, p.truncated_above);
}

}  // namespace kinetune::petab

namespace kinetune::estimate {

template <class Archive>
void serialize(Archive& archive, EstimatedParameter& p) {
  archive(p.id, p.name, p.scale, p.lower_bound, p.upper_bound, p.nominal, p.prior);
}

template <class Archive>
void serialize(Archive& archive, Binding& b) {
  archive(b.constant, b.estimated);
}

template <class Archive>
void serialize(Archive& archive, DataPoint& d) {
  archive(d.row, d.time_index, d.observable, d.measurement, d.placeholders);
}

template <class Archive>
void serialize(Archive& archive, Reset& r) {
  archive(r.state, r.formula);
}

template <class Archive>
void serialize(Archive& archive, Period& p) {
  archive(p.start, p.parameters, p.resets, p.times, p.data);
}

template <class Archive>
void serialize(Archive& archive, Simulation& s) {
  archive(s.condition_id, s.preequilibration_condition_id, s.periods);
}

template <class Archive>
void serialize(Archive& archive, Observable& o) {
  archive(o.id, o.transformation, o.noise);
}

template <class Archive>
void serialize(Archive& archive, Part& p) {
  archive(p.model_parameter_ids, p.state_ids, p.observables, p.simulations);
}

template <class Archive>
void serialize(Archive& archive, Problem& p) {
  archive(p.parameters, p.parts);
}

std::string Problem::to_bytes() const {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive{stream}(*this);
  return std::move(stream).str();
}

Problem Problem::from_bytes(std::string_view bytes) {
  std::istringstream stream{std::string(bytes)};
  Problem problem;
  cereal::PortableBinaryInputArchive{stream}(problem);
  return problem;
}

std::string_view name(Scale scale) {
  switch (scale) {
    case Scale::linear:
      return "lin";
    case Scale::log:
      return "log";
    case Scale::log10:
      break;
  }
  return "log10";
}

double scaled(Scale scale, double linear) {
  switch (scale) {
    case Scale::linear:
      return linear;
    case Scale::log:
      return std::log(linear);
    case Scale::log10:
      break;
  }
  return std::log10(linear);
}

double unscaled(Scale scale, double on_scale) {
  switch (scale) {
    case Scale::linear:
      return on_scale;
    case Scale::log:
      return std::exp(on_scale);
    case Scale::log10:
      break;
  }
  return std::pow(10.0, on_scale);
}

double unscaled_slope(Scale scale, double linear) {
  switch (scale) {
    case Scale::linear:
      return 1.0;
    case Scale::log:
      return linear;
    case Scale::log10:
      break;
  }
  return linear * std::numbers::ln10;
}

}  // namespace kinetune::estimate
