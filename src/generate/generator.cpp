#include "generate/generator.hpp"

#include <cmath>

#include <fmt/format.h>

#include "generate/controls.hpp"
#include "generate/labels.hpp"
#include "generate/nets/make.hpp"
#include "store/durable_file.hpp"
#include "store/row_table.hpp"

namespace kinetune::generate {
namespace {

constexpr std::uint64_t format_version = 1;

auto history_table() {
  using R = EpochRecord;
  using enum store::ElementType;
  using store::Field;
  return store::RowTable(
      Field{&R::epoch, {"/history/epoch", uint64, "passes over the data, from 1"}},
      Field{&R::train_loss, {"/history/train_loss", float64, "what is minimised, mean over the epoch"}},
      Field{&R::train_reconstruction,
            {"/history/train_reconstruction", float64,
             "its reconstruction part (ccgan: the generator's loss)"}},
      Field{&R::train_divergence,
            {"/history/train_divergence", float64,
             "its KL part, unweighted (ccgan: the discriminator's loss)"}},
      Field{&R::validation_loss,
            {"/history/validation_loss", float64, "the same at full KL weight, on runs held out"}},
      Field{&R::validation_reconstruction,
            {"/history/validation_reconstruction", float64, "its reconstruction part"}},
      Field{&R::validation_divergence, {"/history/validation_divergence", float64, "its KL part"}},
      Field{&R::seconds, {"/history/seconds", float64, "wall time of the epoch", "s"}});
}

std::unique_ptr<Generator> make_unchecked(const GeneratorOptions& options) {
  if (options.method == Method::mixture) return std::make_unique<GaussianMixture>(options);
  if (options.method == Method::best_points) return std::make_unique<BestPoints>(options);
  return make_neural_generator(options);
}

}  // namespace

void Generator::begin_data(const DataSet& data) {
  const std::string mark = fingerprint(data);
  if (!data_fingerprint_.empty() && data_fingerprint_ != mark) {
    throw core::Error({}, "the data differ from those that the model was trained on",
                      "resume with the same data, or train a new model");
  }
  data_fingerprint_ = mark;
  parameter_ids_ = data.parameter_ids;
  kinds_ = data.kinds;
}

void Generator::add_to(store::Batch& batch) const {
  using store::ElementType;
  batch.set_attribute("/", "kinetune_generator", format_version);
  batch.set_attribute("/", "options", to_text(options_));
  batch.set_attribute("/", "data", data_fingerprint_);
  batch.append({"/parameters/id", ElementType::text, "ids, in the order of every x"}, parameter_ids_);
  std::vector<std::uint64_t> kinds;
  for (const ParameterKind kind : kinds_) kinds.push_back(static_cast<std::uint64_t>(kind));
  batch.append({"/parameters/kind", ElementType::uint64, "0 rate, 1 scaling, 2 noise, 3 initial value"},
               kinds);
  history_table().append(batch, history_);
}

std::unique_ptr<Generator> make_generator(const GeneratorOptions& options) {
  check(options);
  return make_unchecked(options);
}

void save(const Generator& generator, const std::filesystem::path& path, const store::Batch& more) {
  store::Batch batch = more;
  generator.add_to(batch);
  store::DurableFile::create(path, store::Overwrite::yes, batch);
}

std::unique_ptr<Generator> load_generator(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw core::Error({path.string(), 0}, "no such file", "check the path");
  const store::H5File file(path, store::Access::read);
  if (!file.has("/history/epoch")) {
    throw core::Error({path.string(), 0}, "is no model file", "give a file that kinetune-train has written");
  }
  if (file.attribute<std::uint64_t>("/", "kinetune_generator") != format_version) {
    throw core::Error({path.string(), 0}, "is of another version of kinetune", "train the model again");
  }
  auto generator =
      make_generator(options_from_text(file.attribute<std::string>("/", "options"), path.string()));
  generator->data_fingerprint_ = file.attribute<std::string>("/", "data");
  generator->parameter_ids_ = file.read<std::string>("/parameters/id");
  for (const std::uint64_t kind : file.read<std::uint64_t>("/parameters/kind"))
    generator->kinds_.push_back(static_cast<ParameterKind>(kind));
  generator->history_ = history_table().read(file);
  generator->restore(file);
  return generator;
}

std::vector<double> labels_of(const DataSet& data, const GeneratorOptions& options) {
  if (!data.label.empty()) return data.label;
  std::vector<double> fvals = data.fval;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data.outcome[i] == Outcome::failed) fvals[i] = NAN;  // whatever it says there
  }
  return LabelMap(options.label_transform, fvals)(fvals);
}

std::vector<Condition> conditions_of(const DataSet& data, const GeneratorOptions& options) {
  const std::vector<double> labels = labels_of(data, options);
  std::vector<Condition> conditions;
  for (std::size_t i = 0; i < data.size(); ++i) conditions.push_back({labels[i], data.outcome[i]});
  return conditions;
}

}  // namespace kinetune::generate
