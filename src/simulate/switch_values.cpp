#include "simulate/switch_values.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace kinetune::simulate {

using jit::Switch;

bool is_same_time(double a, double b) {
  constexpr double rounding = 16 * std::numeric_limits<double>::epsilon();
  return std::fabs(a - b) <= rounding * std::max(std::fabs(a), std::fabs(b));
}

SwitchValues::SwitchValues(const jit::CompiledModel& model) : model_(model) {
  const auto& switches = model.code().switches;
  has_clock_ = std::ranges::find(switches, Switch::Driver::clock, &Switch::driver) != switches.end();
  for (auto* values : {&held_, &arguments_, &before_, &at_zero_, &slopes_}) values->resize(switches.size());
}

void SwitchValues::update(double t, const double* x, Moment moment, double* prelude) {
  double* values = prelude + model_.code().first_switch();
  std::copy_n(values, held_.size(), held_.begin());
  before_ = arguments_;
  // A switch may look at those before it: each pass settles at least one more.
  for (std::size_t pass = 0; pass < held_.size(); ++pass) {
    model_.switch_arguments(t, x, prelude, arguments_.data());
    if (has_clock_) {
      model_.switch_arguments(0.0, x, prelude, at_zero_.data());
      model_.switch_slopes(x, prelude, slopes_.data());
    }
    bool changed = false;
    for (std::size_t k = 0; k < held_.size(); ++k) {
      const double now = value(k, t, moment, held_[k], before_[k]);
      changed = changed || now != values[k];
      values[k] = now;
    }
    if (!changed) break;
  }
}

double SwitchValues::value(std::size_t k, double t, Moment moment, double held,
                           double argument_before) const {
  const Switch& s = model_.code().switches[k];
  if (s.driver == Switch::Driver::clock && slopes_[k] != 0.0) return clock_value(k, t, moment);
  const double now = s.value(arguments_[k]);
  const bool moves = s.driver == Switch::Driver::course || s.driver == Switch::Driver::wave;
  if (!moves || s.kind != Switch::Kind::sign) return now;
  const bool crosses = moment == Moment::crossing && now * held == -1.0;
  // What happens at a crossing and does not touch the argument leaves it at 0.
  const bool stays = moment == Moment::within && held == 0.0 && arguments_[k] == argument_before;
  return crosses || stays ? 0.0 : now;
}

double SwitchValues::clock_value(std::size_t k, double t, Moment moment) const {
  const Switch& s = model_.code().switches[k];
  const double bound = s.kind == Switch::Kind::sign ? 0.0 : std::round(arguments_[k]);
  if (!is_same_time(t, time_of(k, bound))) return s.value(arguments_[k]);
  if (moment != Moment::after) return bound;
  const bool grows = slopes_[k] > 0.0;
  switch (s.kind) {
    case Switch::Kind::floor:
      return grows ? bound : bound - 1.0;
    case Switch::Kind::ceil:
      return grows ? bound + 1.0 : bound;
    case Switch::Kind::sign:
      break;
  }
  return grows ? 1.0 : -1.0;
}

double SwitchValues::next_time(double t, const double* prelude) const {
  double next = std::numeric_limits<double>::infinity();
  const double* values = prelude + model_.code().first_switch();
  for (std::size_t k = 0; k < held_.size(); ++k) {
    const Switch& s = model_.code().switches[k];
    if (s.driver != Switch::Driver::clock || slopes_[k] == 0.0) continue;
    const bool grows = slopes_[k] > 0.0;
    double bound = 0.0;
    if (s.kind == Switch::Kind::floor) bound = grows ? values[k] + 1.0 : values[k];
    if (s.kind == Switch::Kind::ceil) bound = grows ? values[k] : values[k] - 1.0;
    const double time = time_of(k, bound);
    if (time > t && !is_same_time(time, t)) next = std::min(next, time);
  }
  return next;
}

}  // namespace kinetune::simulate
