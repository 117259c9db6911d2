#include "generate/nets/neural_generator.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/log.hpp"
#include "generate/nets/layers.hpp"
#include "generate/nets/make.hpp"
#include "generate/streams.hpp"

namespace kinetune::generate {
namespace {

torch::Device device_of(Device device) {
  if (device == Device::cpu) return torch::kCPU;
  if (!torch::cuda::is_available())
    throw core::Error({}, "device is cuda, and LibTorch finds none here", "give --device cpu");
  return torch::kCUDA;
}

/// Systematic resampling: each row as often as its weight says, to within one, in a random order.
Tensor draw_order(const std::vector<double>& weights, core::RandomStream& random) {
  std::vector<std::int64_t> order;
  double sum = random.uniform();
  for (std::size_t i = 0; i < weights.size(); ++i) {
    sum += weights[i];
    for (; sum >= 1 && order.size() < weights.size(); sum -= 1) order.push_back(static_cast<std::int64_t>(i));
  }
  while (order.size() < weights.size()) order.push_back(static_cast<std::int64_t>(weights.size()) - 1);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return torch::tensor(order, torch::kInt64);
}

/// Sums of terms over batches; read once at the end, so that a GPU is not waited for at every step.
class TermSums {
 public:
  void add(const Terms& terms, double weight) {
    const torch::NoGradGuard no_grad;
    add(sums_.total, terms.total, weight);
    add(sums_.reconstruction, terms.reconstruction, weight);
    add(sums_.divergence, terms.divergence, weight);
    weight_ += weight;
  }
  Terms means() const {
    const auto mean = [this](const Tensor& sum) { return sum.defined() ? sum / weight_ : sum; };
    return {mean(sums_.total), mean(sums_.reconstruction), mean(sums_.divergence)};
  }

 private:
  static void add(Tensor& sum, const Tensor& term, double weight) {
    if (term.defined()) sum = sum.defined() ? sum + weight * term.detach() : weight * term.detach();
  }
  Terms sums_;
  double weight_ = 0;
};

double number(const Tensor& tensor) { return tensor.defined() ? tensor.item<double>() : NAN; }

}  // namespace

NeuralGenerator::NeuralGenerator(const GeneratorOptions& options)
    : Generator(options), device_(device_of(options.device)) {}

void NeuralGenerator::make_networks() {
  NetworkShape shape{static_cast<std::int64_t>(normaliser_.n_active()), {}};
  for (const std::size_t j : normaliser_.active())
    shape.kinds.push_back(static_cast<std::int64_t>(kinds_[j]));
  Draw draw(stream(options_.seed, Stream::weights, 0), torch::kCPU);
  training_ = make_network(shape, options_);
  initialise(*training_, draw);
  training_->to(device_);
  for (auto* copy : {&serving_, &candidate_}) {
    *copy = make_network(shape, options_);
    (*copy)->to(device_);
    (*copy)->eval();
  }
  optimisers_.clear();
  for (auto& player : training_->players()) optimisers_.emplace_back(player, training_->adam(options_));
  follow_average(*serving_);
}

/// Gives a copy the averaged weights of training, and its buffers.
void NeuralGenerator::follow_average(Network& copy) {
  const torch::NoGradGuard no_grad;
  const auto assign = [](const std::vector<Tensor>& to, const std::vector<Tensor>& from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i].copy_(from[i]);
  };
  assign(copy.parameters(), training_->parameters());
  assign(copy.buffers(), training_->buffers());
  const auto players = copy.players();
  for (std::size_t i = 0; i < players.size(); ++i) assign(players[i], optimisers_[i].average());
}

Rows NeuralGenerator::rows_of(std::span<const double> x, std::span<const Condition> conditions) const {
  std::vector<float> label, failed;
  for (const Condition& condition : conditions) {
    label.push_back(static_cast<float>(condition.label));
    failed.push_back(condition.outcome == Outcome::failed ? 1.0f : 0.0f);
  }
  Rows rows;
  if (!x.empty())
    rows.x = to_device(normaliser_.forward(x), static_cast<std::int64_t>(normaliser_.n_active()), device_);
  rows.label = to_device(label, 1, device_).squeeze(1);
  rows.failed = to_device(failed, 1, device_).squeeze(1);
  rows.condition = embed_condition(options_.label_axis, rows.label, rows.failed);
  return rows;
}

NeuralGenerator::Prepared NeuralGenerator::prepare(const DataSet& data) {
  begin_data(data);
  const Split split = split_by_run(data, options_.validation_share, options_.seed);
  if (split.train.size() < 2) {
    throw core::Error({}, fmt::format("there are {} points to train on", split.train.size()),
                      "a network needs 2 at least; evaluate more, or use method best_points");
  }
  const std::vector<Condition> conditions = conditions_of(data, options_);
  const auto gather = [&](const std::vector<std::size_t>& rows, auto&& use) {
    std::vector<double> x;
    std::vector<Condition> at;
    for (const std::size_t i : rows) {
      x.insert(x.end(), data.point(i).begin(), data.point(i).end());
      at.push_back(conditions[i]);
    }
    return use(x, at);
  };
  if (!training_) {
    gather(split.train, [&](const std::vector<double>& x, const std::vector<Condition>&) {
      normaliser_ = Normaliser(scale_of(options_), x, data.n_x());
      return 0;
    });
    if (normaliser_.n_active() == 0) {
      throw core::Error({}, "all points to train on are the same", "there is nothing to learn from them");
    }
    make_networks();
  }
  Prepared prepared;
  const auto to_rows = [&](const auto& x, const auto& at) { return rows_of(x, at); };
  prepared.train = gather(split.train, to_rows);
  if (!split.validation.empty()) prepared.validation = gather(split.validation, to_rows);
  prepared.weights = run_weights(data, split.train, options_.run_evenness);
  return prepared;
}

double NeuralGenerator::learning_rate(double progress) const {
  const double warm = std::min(1.0, (progress + 1e-3) / 0.02);
  const double shape =
      options_.schedule == Schedule::cosine ? 0.01 + 0.99 * 0.5 * (1 + std::cos(M_PI * progress)) : 1.0;
  return options_.learning_rate * warm * shape;
}

Terms NeuralGenerator::run_epoch(const Prepared& data, std::uint64_t epoch) {
  core::RandomStream order_stream = stream(options_.seed, Stream::order, epoch);
  Draw draw(stream(options_.seed, Stream::noise, epoch), device_);
  const Tensor order = draw_order(data.weights, order_stream).to(device_);
  const std::int64_t n = data.train.size();
  const std::int64_t size = std::min<std::int64_t>(static_cast<std::int64_t>(options_.batch_size), n);
  const std::int64_t n_steps = n / size;  // what is left over differs from epoch to epoch
  TermSums sums;
  training_->train();
  for (std::int64_t i = 0; i < n_steps; ++i) {
    const double done = static_cast<double>(epoch) + static_cast<double>(i) / static_cast<double>(n_steps);
    const double progress = std::min(1.0, done / static_cast<double>(options_.epochs));
    const Rows batch = data.train.select(order.narrow(0, i * size, size));
    sums.add(training_->step(batch, draw, {progress, learning_rate(progress), optimisers_}), 1);
  }
  return sums.means();
}

Terms NeuralGenerator::validate(Network& network, const Rows& rows) {
  if (!rows.x.defined()) return {};
  const torch::NoGradGuard no_grad;
  Draw draw(stream(options_.seed, Stream::validation, 0), device_);
  TermSums sums;
  constexpr std::int64_t size = 4096;
  for (std::int64_t i = 0; i < rows.size(); i += size) {
    const std::int64_t count = std::min(size, rows.size() - i);
    const Rows batch{rows.x.narrow(0, i, count), rows.label.narrow(0, i, count),
                     rows.failed.narrow(0, i, count), rows.condition.narrow(0, i, count)};
    sums.add(network.validate(batch, draw), static_cast<double>(count));
  }
  return sums.means();
}

std::expected<TrainingEnd, TrainingFailure> NeuralGenerator::train(const DataSet& data,
                                                                   TrainingObserver& observer) {
  const auto begin = history_.empty() ? Network::Begin::fresh : Network::Begin::resumed;
  const Prepared prepared = prepare(data);
  if (!prepared.validation.x.defined() && options_.keep == Keep::best)
    core::log(core::LogLevel::info, "no points are held out, so the last weights are kept");
  Draw preparation(stream(options_.seed, Stream::preparation, 0), device_);
  training_->prepare(prepared.train, begin, preparation);
  while (history_.size() < options_.epochs) {
    const std::uint64_t epoch = history_.size();
    const auto started = std::chrono::steady_clock::now();
    const Terms train = run_epoch(prepared, epoch);
    const double loss = number(train.total);
    if (!std::isfinite(loss)) {
      return std::unexpected(TrainingFailure{
          epoch + 1, fmt::format("the training loss became {}; a lower learning-rate may help", loss)});
    }
    follow_average(*candidate_);
    const Terms validation = validate(*candidate_, prepared.validation);
    const double held_out = number(validation.total);
    const bool better = held_out < best_validation_;
    if (better) {
      best_validation_ = held_out;
      best_epoch_ = epoch + 1;
    }
    if (better || options_.keep == Keep::last || std::isnan(held_out)) std::swap(candidate_, serving_);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    history_.push_back({epoch + 1, loss, number(train.reconstruction), number(train.divergence), held_out,
                        number(validation.reconstruction), number(validation.divergence), took.count()});
    if (observer.on_epoch(history_.back()) == TrainingObserver::Next::stop)
      return TrainingEnd::stopped_by_observer;
    if (options_.patience > 0 && epoch + 1 >= best_epoch_ + options_.patience) return TrainingEnd::patience;
  }
  return TrainingEnd::all_epochs;
}

std::vector<double> NeuralGenerator::sample(Condition condition, std::size_t n, core::RandomStream& random) {
  if (!serving_) throw core::Error({}, "the model is not trained", "train it before sampling");
  const torch::NoGradGuard no_grad;
  Draw draw(core::RandomStream(random.bits(), 0), device_, Spread::even);
  std::vector<double> x;
  constexpr std::size_t size = 4096;
  for (std::size_t i = 0; i < n; i += size) {
    const std::vector<Condition> at(std::min(size, n - i), condition);
    const auto part = normaliser_.backward(to_host(serving_->sample(rows_of({}, at), draw)));
    x.insert(x.end(), part.begin(), part.end());
  }
  return x;
}

std::optional<Encoding> NeuralGenerator::encode(std::span<const double> x,
                                                std::span<const Condition> conditions) {
  if (!serving_) throw core::Error({}, "the model is not trained", "train it before encoding");
  const torch::NoGradGuard no_grad;
  const auto encoded = serving_->encode(rows_of(x, conditions));
  if (!encoded) return std::nullopt;
  const auto doubles = [](const Tensor& tensor) {
    if (!tensor.defined()) return std::vector<double>{};
    const std::vector<float> values = to_host(tensor);
    return std::vector<double>(values.begin(), values.end());
  };
  return Encoding{static_cast<std::size_t>(encoded->latent.size(1)), doubles(encoded->latent),
                  doubles(encoded->divergence), normaliser_.backward(to_host(encoded->reconstruction))};
}

std::optional<double> NeuralGenerator::loss(std::span<const double> x,
                                            std::span<const Condition> conditions) {
  if (options_.method != Method::cvae && options_.method != Method::transformer) return std::nullopt;
  if (!serving_) throw core::Error({}, "the model is not trained", "train it before it is judged");
  double loss = number(validate(*serving_, rows_of(x, conditions)).total);
  for (const std::size_t j : normaliser_.active()) loss += std::log(normaliser_.spread()[j]);
  return loss;
}

std::unique_ptr<Generator> make_neural_generator(const GeneratorOptions& options) {
  return std::make_unique<NeuralGenerator>(options);
}

void use_threads(int n) { at::set_num_threads(n); }

}  // namespace kinetune::generate
