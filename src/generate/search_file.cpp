#include "generate/search.hpp"
#include "store/h5_file.hpp"

// Searches in model files.
namespace kinetune::generate {

store::Batch search_batch(const std::vector<Trial>& trials) {
  using store::ElementType;
  store::Batch batch;
  const auto add = [&](const char* name, const char* what, auto&& value) {
    std::vector<double> column;
    for (const Trial& trial : trials) column.push_back(static_cast<double>(value(trial)));
    batch.replace({std::string("/search/") + name, ElementType::float64, what}, std::move(column));
  };
  add("trial", "number of the trial; 0 has the options that were given", [](auto& t) { return t.id; });
  add("score", "what the best trial has least of, on runs that no trial has seen",
      [](auto& t) { return t.score; });
  add("validation_loss",
      "the lowest over epochs, on runs that this trial alone held out: compare scores instead",
      [](auto& t) { return t.validation_loss; });
  add("epochs", "that were run", [](auto& t) { return t.epochs; });
  add("seconds", "wall time", [](auto& t) { return t.seconds; });
  add("encoder_layers", "hidden layers", [](auto& t) { return t.options.encoder_layers; });
  add("decoder_layers", "hidden layers", [](auto& t) { return t.options.decoder_layers; });
  add("width", "of hidden layers", [](auto& t) { return t.options.width; });
  add("n_latent", "latent dimensions", [](auto& t) { return t.options.n_latent; });
  add("learning_rate", "of Adam", [](auto& t) { return t.options.learning_rate; });
  add("weight_decay", "decoupled", [](auto& t) { return t.options.weight_decay; });
  add("batch_size", "points a step", [](auto& t) { return t.options.batch_size; });
  add("validation_share", "of its points that the trial held out for itself",
      [](auto& t) { return t.options.validation_share; });
  std::vector<std::int8_t> status;
  std::vector<std::string> reasons, texts;
  for (const Trial& trial : trials) {
    status.push_back(static_cast<std::int8_t>(trial.status));
    reasons.push_back(trial.reason);
    texts.push_back(to_text(trial.options));
  }
  batch.replace({"/search/status",
                 ElementType::category,
                 "how the trial ended",
                 "",
                 {},
                 {"finished", "failed", "lost", "open"}},
                status);
  batch.replace({"/search/reason", ElementType::text, "of a failure"}, reasons);
  batch.replace({"/search/options", ElementType::text, "all options of the trial"}, texts);
  return batch;
}

std::optional<SearchRecord> read_search(const std::filesystem::path& path) {
  const store::H5File file(path, store::Access::read);
  if (!file.has("/search/status")) return std::nullopt;
  const auto numbers = [&](const char* name) { return file.read<double>(std::string("/search/") + name); };
  const auto status = file.read<std::int8_t>("/search/status");
  const auto reason = file.read<std::string>("/search/reason");
  const auto options = file.read<std::string>("/search/options");
  const auto score = numbers("score"), validation_loss = numbers("validation_loss");
  const auto epochs = numbers("epochs"), seconds = numbers("seconds");
  SearchRecord record{{}, file.shape("/history/epoch").at(0) > 0, file.attribute<std::string>("/", "data")};
  for (std::size_t i = 0; i < status.size(); ++i) {
    record.trials.push_back({i, options_from_text(options[i], path.string()),
                             static_cast<TrialStatus>(status[i]), reason[i], score[i], validation_loss[i],
                             static_cast<std::uint64_t>(epochs[i]), seconds[i]});
  }
  return record;
}

}  // namespace kinetune::generate
