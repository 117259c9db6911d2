#pragma once

#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "estimate/problem_files.hpp"
#include "estimate/quadrature.hpp"

namespace kinetune::estimate::test {

// A problem on the model of problem_files.hpp with two conditions, three kinds of noise, placeholders, priors
// and all scales; and everything it says worked out in closed form, by nothing of kinetune's.

struct ChainRow {
  const char* observable;
  const char* condition;
  double time, measurement;
  double offset, sigma;  ///< placeholders of yA
};

/// Not in the order of time, some at the same time.
inline const std::vector<ChainRow> chain_rows{
    {"yB", "high", 3.0, 1.9, 0, 0},     {"yA", "low", 0.0, 2.1, 0.1, 0.2}, {"yA", "low", 1.0, 1.1, 0.1, 0.2},
    {"yA", "high", 0.0, 5.5, 0.3, 0.4}, {"yS", "high", 2.0, 3.1, 0, 0},    {"yA", "high", 2.0, 1.4, 0.3, 0.4},
    {"yB", "low", 2.0, 0.7, 0, 0},      {"yB", "low", 2.0, 0.85, 0, 0},    {"yS", "low", 2.0, 1.2, 0, 0},
    {"yS", "low", 0.5, 1.3, 0, 0},      {"yB", "high", 7.5, 0.5, 0, 0},    {"yA", "low", 7.5, 0.2, 0.1, 0.2}};

inline const std::vector<std::string> chain_ids{"k1", "k2", "a_high", "scale", "sigma_B", "s_rel"};
/// A point off the nominal values, on the parameters' scales: log10, log, lin, lin, log10, lin.
inline const std::vector<double> chain_x{-0.2, -1.1, 3.7, 1.15, -0.9, 0.07};

struct ChainPrediction {
  double value, sigma;
};

inline ChainPrediction chain_prediction(const ChainRow& row, const std::vector<double>& x) {
  const double k1 = std::pow(10.0, x[0]), k2 = std::exp(x[1]);
  const double a0 = std::string(row.condition) == "high" ? x[2] : 1.5;
  const double a = a0 * std::exp(-k1 * row.time);
  const double b = a0 * k1 / (k2 - k1) * (std::exp(-k1 * row.time) - std::exp(-k2 * row.time));
  const std::string observable = row.observable;
  if (observable == "yA") return {x[3] * a + row.offset, row.sigma};
  if (observable == "yB") return {b, std::pow(10.0, x[4])};
  return {a + b, 0.05 + x[5] * b};
}

inline double chain_nllh(const ChainRow& row, const std::vector<double>& x) {
  const auto [value, sigma] = chain_prediction(row, x);
  const std::string observable = row.observable;
  const double m = row.measurement;
  if (observable == "yA")
    return 0.5 * std::log(2 * M_PI * sigma * sigma) + 0.5 * std::pow((m - value) / sigma, 2);
  if (observable == "yB") {
    return 0.5 * std::log(2 * M_PI * sigma * sigma * m * m * std::log(10.0) * std::log(10.0)) +
           0.5 * std::pow((std::log10(m) - std::log10(value)) / sigma, 2);
  }
  return std::log(2 * sigma * m) + std::fabs(std::log(m) - std::log(value)) / sigma;
}

inline double chain_llh(const std::vector<double>& x) {
  double sum = 0;
  for (const ChainRow& row : chain_rows) sum -= chain_nllh(row, x);
  return sum;
}

/// k1: normal on its scale, mean 0, deviation 0.5; a_high: normal, 4, 1; s_rel: Laplace, 0.1, 0.05.
inline double chain_prior(const std::vector<double>& x) {
  return 0.5 * std::log(2 * M_PI * 0.25) + 0.5 * std::pow(x[0] / 0.5, 2) + 0.5 * std::log(2 * M_PI) +
         0.5 * std::pow(x[2] - 4, 2) + std::log(2 * 0.05) + std::fabs(x[5] - 0.1) / 0.05;
}

/// The derivative of f(x) by x_i.
template <class Function>
double chain_derivative(Function&& f, const std::vector<double>& x, std::size_t i) {
  const auto along = [&](double xi) {
    std::vector<double> moved = x;
    moved[i] = xi;
    return f(moved);
  };
  return derivative(along, x[i], 1e-3);
}

/// Of the likelihood, from predictions and the information of each kind of noise (textbook values).
inline std::vector<double> chain_fisher(const std::vector<double>& x) {
  const std::size_t n = x.size();
  std::vector<double> matrix(n * n);
  for (const ChainRow& row : chain_rows) {
    std::vector<double> by_value, by_sigma;
    for (std::size_t i = 0; i < n; ++i) {
      by_value.push_back(chain_derivative([&](auto& at) { return chain_prediction(row, at).value; }, x, i));
      by_sigma.push_back(chain_derivative([&](auto& at) { return chain_prediction(row, at).sigma; }, x, i));
    }
    const auto [value, sigma] = chain_prediction(row, x);
    const std::string observable = row.observable;
    const double slope = observable == "yA"   ? 1.0
                         : observable == "yB" ? 1.0 / (value * std::log(10.0))
                                              : 1.0 / value;
    const double of_sigma = (observable == "yS" ? 1.0 : 2.0) / (sigma * sigma);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        matrix[i * n + j] += slope * slope / (sigma * sigma) * by_value[i] * by_value[j] +
                             of_sigma * by_sigma[i] * by_sigma[j];
      }
    }
  }
  return matrix;
}

/// The problem's files.
inline void write_chain(ProblemFiles& files) {
  files.write("parameters.tsv",
              "parameterId\tparameterScale\tlowerBound\tupperBound\tnominalValue\testimate\t"
              "objectivePriorType\tobjectivePriorParameters\n"
              "k1\tlog10\t1e-3\t1e3\t0.8\t1\tparameterScaleNormal\t0;0.5\n"
              "k2\tlog\t1e-3\t1e3\t0.3\t1\t\t\n"
              "a_high\tlin\t0.1\t20\t4\t1\tnormal\t4;1\n"
              "scale\tlin\t0.1\t10\t1.3\t1\t\t\n"
              "offset_high\tlin\t\t\t0.3\t0\t\t\n"
              "sigma_B\tlog10\t1e-3\t10\t0.1\t1\t\t\n"
              "s_rel\tlin\t0\t1\t0.08\t1\tlaplace\t0.1;0.05\n");
  files.write("observables.tsv",
              "observableId\tobservableFormula\tobservableTransformation\tnoiseFormula\tnoiseDistribution\n"
              "yA\tobservableParameter1_yA * A + observableParameter2_yA\tlin\tnoiseParameter1_yA\tnormal\n"
              "yB\tB\tlog10\tsigma_B\tnormal\n"
              "yS\tA + B\tlog\t0.05 + s_rel * B\tlaplace\n");
  std::string measurements =
      "observableId\tsimulationConditionId\ttime\tmeasurement\tobservableParameters\tnoiseParameters\n";
  for (const ChainRow& row : chain_rows) {
    const std::string offset = row.offset == 0.3 ? "offset_high" : fmt::format("{}", row.offset);
    const bool placed = std::string(row.observable) == "yA";
    measurements +=
        fmt::format("{}\t{}\t{}\t{}\t{}\t{}\n", row.observable, row.condition, row.time, row.measurement,
                    placed ? "scale;" + offset : "", placed ? fmt::format("{}", row.sigma) : "");
  }
  files.write("measurements.tsv", measurements);
}

}  // namespace kinetune::estimate::test
