#include "jit/model_code.hpp"

#include <sstream>

#include <cereal/archives/portable_binary.hpp>
#include <cereal/types/string.hpp>
#include <cereal/types/vector.hpp>

#include "jit/emit.hpp"
#include "jit/kernels.hpp"

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
void serialize(Archive& archive, ModelCode& c) {
  archive(c.cpu, c.objects, c.n_states, c.n_parameters, c.n_outputs, c.n_prelude, c.differentiated,
          c.jacobian, c.rates_by_parameter, c.initials_by_parameter, c.observables);
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
  KernelSet kernels = make_kernels(source, code);
  code.n_prelude = hoist(kernels, source.model);
  code.cpu = host_cpu();
  code.objects = emit_objects(kernels, options);
  return code;
}

}  // namespace kinetune::jit
