// What of a NeuralGenerator is in a file: weights for sampling and for training, optimisers, normalisation.
#include <map>

#include "generate/nets/neural_generator.hpp"

namespace kinetune::generate {
namespace {

using store::Column;
using store::ElementType;

std::string path_of(const std::string& group, const std::string& name) { return group + "/" + name; }

void add_tensor(store::Batch& batch, const std::string& path, const std::string& description,
                const Tensor& tensor) {
  Column column{path, ElementType::float32, description};
  for (std::int64_t i = 1; i < tensor.dim(); ++i)
    column.row_shape.push_back(static_cast<std::uint64_t>(tensor.size(i)));
  batch.replace(column, to_host(tensor));
}

void read_tensor(const store::H5File& file, const std::string& path, const Tensor& tensor) {
  const torch::NoGradGuard no_grad;
  const std::vector<float> values = file.read<float>(path);
  if (static_cast<std::int64_t>(values.size()) != tensor.numel())
    throw core::Error({}, path + " has another size than the model's options ask for", "train it again");
  tensor.copy_(torch::from_blob(const_cast<float*>(values.data()), {tensor.numel()}).view(tensor.sizes()));
}

/// Parameters and buffers that training or preparation changes, by name.
std::map<std::string, Tensor> state_of(const Network& network) {
  std::map<std::string, Tensor> state;
  for (const auto& item : network.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : network.named_buffers()) {
    if (item.value().is_floating_point()) state[item.key()] = item.value();
  }
  return state;
}

void add_network(store::Batch& batch, const std::string& group, const Network& network,
                 const std::string& what) {
  for (const auto& [name, tensor] : state_of(network))
    add_tensor(batch, path_of(group, name), what + " " + name, tensor);
}

void read_network(const store::H5File& file, const std::string& group, const Network& network) {
  for (const auto& [name, tensor] : state_of(network)) read_tensor(file, path_of(group, name), tensor);
}

std::string optimiser_group(std::size_t i) { return "/optimiser/" + std::to_string(i); }

}  // namespace

void NeuralGenerator::add_to(store::Batch& batch) const {
  Generator::add_to(batch);
  if (!training_) return;
  batch.replace({"/normaliser/mean", ElementType::float64, "of each parameter, on the networks' scale"},
                normaliser_.mean());
  batch.replace(
      {"/normaliser/spread", ElementType::float64,
       "divides what is left after the mean; 0: the parameter never varied and networks do not see it"},
      normaliser_.spread());
  add_network(batch, "/weights/sampling", *serving_, "what samples are drawn from:");
  add_network(batch, "/weights/training", *training_, "where training goes on:");
  for (std::size_t i = 0; i < optimisers_.size(); ++i) {
    const std::vector<Tensor> state = optimisers_[i].state();
    const char* const names[] = {"first_moment", "second_moment", "average"};
    for (std::size_t k = 0; k < state.size(); ++k)
      add_tensor(batch, path_of(optimiser_group(i), names[k]), "Adam's, all weights of one player", state[k]);
    batch.set_attribute(optimiser_group(i), "n_steps", optimisers_[i].n_steps());
  }
  batch.set_attribute("/normaliser", "best_validation_loss", best_validation_);
  batch.set_attribute("/normaliser", "best_epoch", best_epoch_);
}

void NeuralGenerator::restore(const store::H5File& file) {
  if (!file.has("/normaliser/mean")) return;  // saved before it was trained
  normaliser_ = Normaliser::restored(scale_of(options_), file.read<double>("/normaliser/mean"),
                                     file.read<double>("/normaliser/spread"));
  make_networks();
  read_network(file, "/weights/sampling", *serving_);
  read_network(file, "/weights/training", *training_);
  for (std::size_t i = 0; i < optimisers_.size(); ++i) {
    std::vector<Tensor> state;
    for (const char* name : {"first_moment", "second_moment", "average"}) {
      state.push_back(torch::empty_like(optimisers_[i].state()[0]));
      read_tensor(file, path_of(optimiser_group(i), name), state.back());
    }
    optimisers_[i].restore(file.attribute<std::uint64_t>(optimiser_group(i), "n_steps"), state);
  }
  best_validation_ = file.attribute<double>("/normaliser", "best_validation_loss");
  best_epoch_ = file.attribute<std::uint64_t>("/normaliser", "best_epoch");
}

}  // namespace kinetune::generate
