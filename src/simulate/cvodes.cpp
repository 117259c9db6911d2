#include <algorithm>
#include <map>

#include "simulate/cvodes_adjoint.hpp"
#include "simulate/cvodes_system.hpp"
#include "simulate/denormals.hpp"
#include "simulate/simulator.hpp"

namespace kinetune::simulate {
namespace {

class Cvodes final : public PieceIntegrator {
 public:
  Cvodes(const jit::CompiledModel& model, const IntegratorOptions& options)
      : model_(model), options_(options), history_(model) {
    options_.validate();
  }

  std::expected<double, IntegrationFailure> forward(const Segment& segment, Mode mode, std::span<double> x,
                                                    std::span<double> sensitivities,
                                                    std::span<const double> times, Sink& sink) override {
    const FlushDenormals flush;
    const int n_active = static_cast<int>(segment.active.size());
    if (model_.n_states() == 0) return follow_nothing(segment, times, sink);
    if (mode == Mode::adjoint) {
      auto& adjoint = tape_slot(tape_.size(), n_active);
      tape_.push_back(&adjoint);
      return adjoint.forward(segment, x, times, sink);
    }
    auto& system = systems_[mode == Mode::forward ? n_active : 0];
    if (!system)
      system =
          std::make_unique<CvodesSystem>(model_, options_, mode == Mode::forward ? n_active : 0, history_);
    return follow(*system, segment, x, sensitivities, times, sink);
  }

  std::expected<void, IntegrationFailure> backward(std::span<double> adjoint,
                                                   std::span<double> gradient) override {
    const FlushDenormals flush;
    if (model_.n_states() == 0) return {};
    CvodesAdjoint& last = *tape_.back();
    tape_.pop_back();
    return last.backward(adjoint, gradient);
  }

  void clear_tape() override { tape_.clear(); }

  DelayHistory& history() override { return history_; }

  Statistics take_statistics() override {
    Statistics total;
    for (auto& [n, system] : systems_) total += system->take_statistics();
    for (auto& [key, adjoint] : adjoints_) total += adjoint->take_statistics();
    return total;
  }

 private:
  CvodesAdjoint& tape_slot(std::size_t depth, int n_active) {
    auto& slot = adjoints_[{depth, n_active}];
    if (!slot) slot = std::make_unique<CvodesAdjoint>(model_, options_, n_active, history_);
    return *slot;
  }

  /// A model of formulas alone: CVODES wants at least one state.
  static std::expected<double, IntegrationFailure> follow_nothing(const Segment& segment,
                                                                  std::span<const double> times, Sink& sink) {
    for (std::size_t i = 0; i < times.size(); ++i) sink.at(i, {}, {}, {});
    return segment.end;
  }

  std::expected<double, IntegrationFailure> follow(CvodesSystem& system, const Segment& segment,
                                                   std::span<double> x, std::span<double> sensitivities,
                                                   std::span<const double> times, Sink& sink) {
    if (const auto started = system.start(segment, x, sensitivities); !started) {
      return std::unexpected(started.error());
    }
    const auto reached =
        system.follow(times, [&](std::size_t index, auto states, auto s) { sink.at(index, states, s, {}); });
    if (!reached) return reached;
    std::ranges::copy(system.states(), x.begin());
    std::ranges::copy(system.sensitivities(), sensitivities.begin());
    return reached;
  }

  const jit::CompiledModel& model_;
  IntegratorOptions options_;
  DelayHistory history_;
  std::map<int, std::unique_ptr<CvodesSystem>> systems_;  // by number of sensitivities
  std::map<std::pair<std::size_t, int>, std::unique_ptr<CvodesAdjoint>>
      adjoints_;  // by depth of the tape and number of active parameters
  std::vector<CvodesAdjoint*> tape_;
};

}  // namespace

std::unique_ptr<Integrator> make_cvodes(const jit::CompiledModel& model, const IntegratorOptions& options) {
  return make_simulator(model, std::make_unique<Cvodes>(model, options), options.rtol);
}

}  // namespace kinetune::simulate
