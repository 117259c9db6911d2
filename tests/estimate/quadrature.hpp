#pragma once

#include <cmath>

namespace kinetune::estimate::test {

/// Simpson's rule; f must be smooth in between.
template <class Function>
double integral(Function&& f, double from, double to, int n_intervals = 4000) {
  const double h = (to - from) / n_intervals;
  double sum = f(from) + f(to);
  for (int i = 1; i < n_intervals; ++i) sum += (i % 2 ? 4.0 : 2.0) * f(from + h * i);
  return sum * h / 3.0;
}

/// Central difference with one Richardson step: error of the order of h^4.
template <class Function>
double derivative(Function&& f, double x, double h) {
  const auto central = [&](double step) { return (f(x + step) - f(x - step)) / (2.0 * step); };
  return (4.0 * central(h) - central(2.0 * h)) / 3.0;
}

}  // namespace kinetune::estimate::test
