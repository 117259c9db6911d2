#include "simulate/kink.hpp"

#include <algorithm>
#include <cmath>

namespace kinetune::simulate {

void Kink::carry(std::span<double> sensitivities) const {
  const std::size_t n = by_state.size(), m = by_parameter.size();
  for (std::size_t k = 0; k < m; ++k) {
    double motion = by_parameter[k];
    for (std::size_t i = 0; i < n; ++i) motion += by_state[i] * sensitivities[i * m + k];
    for (std::size_t i = 0; i < n; ++i) sensitivities[i * m + k] -= difference[i] * motion / pace;
  }
}

void Kink::carry_back(std::span<double> adjoint, std::span<double> gradient) const {
  double sum = 0.0;
  for (std::size_t i = 0; i < difference.size(); ++i) sum += adjoint[i] * difference[i];
  sum /= pace;
  for (std::size_t i = 0; i < by_state.size(); ++i) adjoint[i] -= by_state[i] * sum;
  for (std::size_t k = 0; k < by_parameter.size(); ++k) gradient[k] -= by_parameter[k] * sum;
}

KinkFinder::KinkFinder(const jit::CompiledModel& model)
    : model_(model),
      prelude_(model.code().n_prelude),
      gradients_(model.code().switches.size() + model.code().switches_by_state.n_nonzeros() +
                 model.code().switches_by_parameter.n_nonzeros()),
      before_(model.n_states()),
      from_(model.n_states()),
      to_(model.n_states()) {}

bool KinkFinder::find(double t, const double* x, std::span<const double> held,
                      std::span<const double> prelude, std::span<const int> active,
                      std::vector<Kink>& kinks) {
  const auto& code = model_.code();
  const double* became = prelude.data() + code.first_switch();
  std::ranges::copy(prelude, prelude_.begin());
  double* values = prelude_.data() + code.first_switch();
  std::ranges::copy(held, values);
  model_.rates(t, x, prelude_.data(), before_.data());
  model_.switch_gradients(t, x, prelude_.data(), gradients_.data());
  to_ = before_;
  // One after the other, each from where the last has led.
  for (std::size_t k = 0; k < held.size(); ++k) {
    if (values[k] == became[k]) continue;
    values[k] = became[k];
    from_ = to_;
    model_.rates(t, x, prelude_.data(), to_.data());
    if (!code.switches[k].jumps || !code.switches[k].by_parameter || from_ == to_) continue;
    kinks.push_back(kink_of(static_cast<int>(k), before_, active));
    if (!std::isfinite(1.0 / kinks.back().pace)) return false;
  }
  return true;
}

Kink KinkFinder::kink_of(int k, std::span<const double> rates_before, std::span<const int> active) const {
  const auto& code = model_.code();
  const std::size_t n = rates_before.size();
  Kink kink{gradients_[k], std::vector<double>(n), std::vector<double>(n),
            std::vector<double>(active.size())};
  const double* values = gradients_.data() + code.switches.size();
  const auto entry = [&](const jit::Pattern& pattern, int column) {
    for (int e = pattern.column_starts[column]; e < pattern.column_starts[column + 1]; ++e) {
      if (pattern.rows[e] == k) return values[e];
    }
    return 0.0;
  };
  for (std::size_t i = 0; i < n; ++i) {
    kink.by_state[i] = entry(code.switches_by_state, static_cast<int>(i));
    kink.pace += kink.by_state[i] * rates_before[i];
    kink.difference[i] = from_[i] - to_[i];
  }
  values += code.switches_by_state.n_nonzeros();
  for (std::size_t j = 0; j < active.size(); ++j) {
    if (active[j] >= 0) kink.by_parameter[j] = entry(code.switches_by_parameter, active[j]);
  }
  return kink;
}

}  // namespace kinetune::simulate
