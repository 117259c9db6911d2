#include "estimate/likelihood.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace kinetune::estimate {
namespace {

std::size_t largest_kernel(const jit::ModelCode& code) {
  std::size_t size = 2;
  for (const auto& o : code.observables) size = std::max(size, 2 + o.value.size() + o.noise.size());
  return size;
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double v) { return std::isfinite(v); });
}

std::string why_no_density(const Part& part, const DataPoint& point, double value, double sigma) {
  const Observable& observable = part.observables[point.observable];
  if (!(sigma > 0.0)) return fmt::format("noise of observable {} is not positive", observable.id);
  if (observable.transformation != Scale::linear && !(value > 0.0)) {
    return fmt::format("observable {} is not positive and has no logarithm", observable.id);
  }
  return fmt::format("likelihood of observable {} is not finite", observable.id);
}

}  // namespace

void LikelihoodSums::clear() {
  nllh = chi2 = 0.0;
  n_rates = 0;
  std::ranges::fill(gradient, 0.0);
  std::ranges::fill(gauss_newton, 0.0);
}

bool LikelihoodSums::has_finite_derivatives() const {
  return all_finite(gradient) && all_finite(gauss_newton);
}

LikelihoodSums& LikelihoodSums::operator+=(const LikelihoodSums& other) {
  nllh += other.nllh;
  chi2 += other.chi2;
  n_rates += other.n_rates;
  for (std::size_t q = 0; q < gradient.size(); ++q) gradient[q] += other.gradient[q];
  for (std::size_t i = 0; i < gauss_newton.size(); ++i) gauss_newton[i] += other.gauss_newton[i];
  return *this;
}

Likelihood::Likelihood(const jit::CompiledModel& model, const Part& part, const PreparedPeriod& prepared,
                       std::span<const int> columns, std::span<const double> prelude,
                       std::span<const double> x_linear, simulate::Mode mode, LikelihoodSums& sums,
                       const SimulatedData& data)
    : model_(model),
      part_(part),
      prepared_(prepared),
      columns_(columns),
      prelude_(prelude),
      x_linear_(x_linear),
      mode_(mode),
      sums_(sums),
      data_(data),
      kernel_out_(largest_kernel(model.code())),
      value_by_x_(x_linear.size()),
      noise_by_x_(x_linear.size()) {}

void Likelihood::at(std::size_t time_index, std::span<const double> x, std::span<const double> sensitivities,
                    std::span<double> cotangent) {
  const double t = prepared_.period->times[time_index];
  for (std::size_t d = prepared_.first_data[time_index]; d < prepared_.first_data[time_index + 1]; ++d) {
    compare(prepared_.period->data[d], t, x, sensitivities, cotangent);
  }
  if (!overflow_time_ && !(all_finite(sums_.gradient) && all_finite(cotangent))) overflow_time_ = t;
}

void Likelihood::compare(const DataPoint& point, double t, std::span<const double> x,
                         std::span<const double> sensitivities, std::span<double> cotangent) {
  placeholders_.clear();
  for (const Binding& b : point.placeholders) {
    placeholders_.push_back(b.estimated < 0 ? b.constant : x_linear_[b.estimated]);
  }
  const bool differentiate = !sums_.gradient.empty();
  if (differentiate) {
    model_.observable_derivatives(point.observable, t, x.data(), prelude_.data(), placeholders_.data(),
                                  kernel_out_.data());
  } else {
    model_.observable(point.observable, t, x.data(), prelude_.data(), placeholders_.data(),
                      kernel_out_.data());
  }
  const double value = kernel_out_[0], sigma = kernel_out_[1];
  if (data_.values) data_.values[point.row] = value;
  if (data_.noise) data_.noise[point.row] = sigma;

  const Observable& observable = part_.observables[point.observable];
  const NoiseTerm term =
      noise_term(observable.noise, observable.transformation, point.measurement, value, sigma);
  if (!std::isfinite(term.nllh) || !(sigma > 0.0)) {
    if (!failure_) {
      failure_ = why_no_density(part_, point, value, sigma);
      failure_time_ = t;
    }
    return;
  }
  sums_.nllh += term.nllh;
  sums_.chi2 += term.residual * term.residual;
  if (!differentiate) return;

  const auto& layout = model_.code().observables[point.observable];
  const double* of_value = kernel_out_.data() + 2;
  const double* of_noise = of_value + layout.value.size();
  total_derivative(layout.value, of_value, point, sensitivities, value_by_x_);
  total_derivative(layout.noise, of_noise, point, sensitivities, noise_by_x_);
  for (std::size_t q = 0; q < sums_.gradient.size(); ++q) {
    sums_.gradient[q] += term.by_value * value_by_x_[q] + term.by_noise * noise_by_x_[q];
  }
  if (mode_ == simulate::Mode::adjoint) {
    add_cotangent(layout.value, of_value, term.by_value, cotangent);
    add_cotangent(layout.noise, of_noise, term.by_noise, cotangent);
  }
  if (!sums_.gauss_newton.empty()) {
    add_to_gauss_newton(term.information_of_value, value_by_x_);
    add_to_gauss_newton(term.information_of_noise, noise_by_x_);
  }
  if (data_.least_squares) add_residuals(point, term, sigma);
}

/// d observable / d estimated parameters; by way of the states only as far as sensitivities are given.
void Likelihood::total_derivative(const jit::ObservableLayout::Gradient& gradient, const double* values,
                                  const DataPoint& point, std::span<const double> sensitivities,
                                  std::vector<double>& by_x) const {
  std::ranges::fill(by_x, 0.0);
  if (gradient.size() == 0) return;
  const std::size_t n_active = columns_.size();
  for (const int i : gradient.by_state) {
    const double factor = *values++;
    if (sensitivities.empty()) continue;
    const double* row = sensitivities.data() + i * n_active;
    for (std::size_t k = 0; k < n_active; ++k) by_x[columns_[k]] += factor * row[k];
  }
  for (const int j : gradient.by_parameter) {
    const double factor = *values++;
    if (const int q = prepared_.estimated_of[j]; q >= 0) by_x[q] += factor;
  }
  for (const int k : gradient.by_placeholder) {
    const double factor = *values++;
    if (const int q = point.placeholders[k].estimated; q >= 0) by_x[q] += factor;
  }
}

void Likelihood::add_residuals(const DataPoint& point, const NoiseTerm& term, double sigma) {
  constexpr double shift = 50.0;
  LeastSquares& result = *data_.least_squares;
  const std::size_t n = value_by_x_.size(), n_data = result.residuals.size() / 2;
  const auto row = static_cast<std::size_t>(point.row);
  result.residuals[row] = term.residual;
  const double by_value = -std::sqrt(term.information_of_value), by_noise = -term.residual / sigma;
  for (std::size_t q = 0; q < n; ++q)
    result.jacobian[row * n + q] = by_value * value_by_x_[q] + by_noise * noise_by_x_[q];
  if (std::ranges::all_of(noise_by_x_, [](double v) { return v == 0.0; })) return;
  const double square = 2.0 * std::log(sigma) + shift;
  if (square <= 0.0) {
    failure_ = failure_.value_or("noise too small for least squares");
    return;
  }
  const double of_noise = std::sqrt(square);
  result.residuals[n_data + row] = of_noise;
  for (std::size_t q = 0; q < n; ++q)
    result.jacobian[(n_data + row) * n + q] = noise_by_x_[q] / (sigma * of_noise);
}

void Likelihood::add_cotangent(const jit::ObservableLayout::Gradient& gradient, const double* values,
                               double factor, std::span<double> cotangent) const {
  for (const int i : gradient.by_state) cotangent[i] += factor * *values++;
}

void Likelihood::add_to_gauss_newton(double weight, const std::vector<double>& by_x) {
  const std::size_t n = by_x.size();
  for (std::size_t i = 0; i < n; ++i) {
    if (by_x[i] == 0.0) continue;
    const double factor = weight * by_x[i];
    for (std::size_t j = 0; j <= i; ++j) sums_.gauss_newton[i * n + j] += factor * by_x[j];
  }
}

}  // namespace kinetune::estimate
