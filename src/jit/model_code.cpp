#include "jit/model_code.hpp"

#include <cmath>
#include <sstream>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "jit/emit.hpp"
#include "jit/kernels.hpp"
#include "jit/lane_kernels.hpp"
#include "jit/lu_kernels.hpp"

namespace kinetune::jit {

template <class Archive>
void serialize(Archive& archive, Pattern& p) {
  archive(p.n_rows, p.n_cols, p.column_starts, p.rows);
}

template <class Archive>
void serialize(Archive& archive, ObservableLayout::Gradient& g) {
  archive(g.by_state, g.by_parameter, g.by_placeholder);
}

template <class Archive>
void serialize(Archive& archive, ObservableLayout& o) {
  archive(o.n_placeholders, o.value, o.noise);
}

template <class Archive>
void serialize(Archive& archive, Switch& s) {
  archive(s.kind, s.driver, s.jumps, s.by_parameter);
}

template <class Archive>
void serialize(Archive& archive, GradientLayout& d) {
  archive(d.by_state, d.by_parameter);
}

template <class Archive>
void serialize(Archive& archive, EventLayout& e) {
  archive(e.id, e.has_priority, e.initially_true, e.persistent, e.values_from_trigger_time, e.targets,
          e.derivatives);
}

template <class Archive>
void serialize(Archive& archive, Contraction& c) {
  archive(c.pattern, c.term_starts, c.values, c.directions);
}

template <class Archive>
void serialize(Archive& archive, Curvature& c) {
  archive(c.is_present, c.rates_by_time, c.n_values, c.by_state, c.by_parameter);
}

template <class Archive>
void serialize(Archive& archive, ModelCode& c) {
  archive(c.cpu, c.objects, c.n_states, c.n_parameters, c.n_outputs, c.n_prelude, c.differentiated,
          c.jacobian, c.rates_by_parameter, c.initials_by_parameter, c.observables, c.switches,
          c.switch_derivatives, c.n_phases, c.constraints, c.constraint_derivatives, c.events, c.curvature,
          c.n_delays, c.has_lu, c.lanes);
}

double Switch::value(double argument) const {
  switch (kind) {
    case Kind::floor:
      return std::floor(argument);
    case Kind::ceil:
      return std::ceil(argument);
    case Kind::sign:
      break;
  }
  return argument > 0.0 ? 1.0 : argument < 0.0 ? -1.0 : argument;
}

std::string ModelCode::to_bytes() const {
  std::ostringstream stream;
  cereal::PortableBinaryOutputArchive{stream}(*this);
  return std::move(stream).str();
}

ModelCode ModelCode::from_bytes(std::string_view bytes) {
  std::istringstream stream{std::string(bytes)};
  ModelCode code;
  cereal::PortableBinaryInputArchive{stream}(code);
  return code;
}

ModelCode compile(const ModelSource& source, const CompileOptions& options) {
  ModelCode code;
  KernelSet kernels = make_kernels(source, options, code);
  code.n_prelude = hoist(kernels, source.model);
  for (const symbolic::Expr symbol : kernels.switches) {
    kernels.common.emplace(symbol.id(), Slot{Slot::Array::prelude, code.n_prelude++});
  }
  if (code.curvature.is_present) add_lu_kernels(*source.model.graph, code, kernels);
  if (options.lanes > 1) add_lane_kernels(options.lanes, code, kernels);
  code.cpu = host_cpu();
  code.objects = emit_objects(kernels, options);
  return code;
}

}  // namespace kinetune::jit
