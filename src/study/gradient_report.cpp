#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "study/check_gradient.hpp"

namespace kinetune::study {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t n_listed = 5;

const char* name(Trust trust) {
  switch (trust) {
    case Trust::yes:
      return "trusted";
    case Trust::unsure:
      return "not confirmed";
    case Trust::no:
      return "NOT to be trusted";
    case Trust::no_value:
      return "no value";
  }
  return "";
}

/// Of one parameter: confirmed is by differences.
const char* verdict(const ParameterGradient& g) {
  switch (g.trust) {
    case Trust::yes:
      return g.difference ? "confirmed" : "methods agree";
    case Trust::unsure:
      return "not confirmed";
    default:
      return "deviates";
  }
}

/// How far the ways to one derivative are apart.
double spread(const ParameterGradient& g) {
  const double to_difference = g.difference ? std::fabs(g.forward - g.difference->value) : 0.0;
  return std::max(std::fabs(g.forward - g.adjoint), to_difference);
}

/// The parameters that the methods agree on least.
std::string worst_parameters(const PointCheck& point, const std::vector<std::string>& ids) {
  std::vector<std::size_t> order(point.gradient.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return spread(point.gradient[i]); });
  order.resize(std::min(order.size(), n_listed));
  std::string text;
  for (const std::size_t i : order) {
    const ParameterGradient& g = point.gradient[i];
    text += fmt::format("    {}: forward {:.8g}, adjoint {:.8g}", ids[i], g.forward, g.adjoint);
    if (g.difference)
      text += fmt::format(", differences {:.8g} +- {:.1e}", g.difference->value, g.difference->error);
    text += "\n";
  }
  return text;
}

/// Which parameters differences confirm; nothing where none were taken by parameters.
std::string parameters_line(const PointCheck& point, const std::vector<std::string>& ids) {
  std::size_t n_confirmed = 0;
  std::vector<std::string> others;
  bool has_differences = false;
  for (std::size_t i = 0; i < point.gradient.size(); ++i) {
    const ParameterGradient& g = point.gradient[i];
    has_differences |= g.difference.has_value();
    if (g.trust == Trust::yes && g.difference)
      ++n_confirmed;
    else
      others.push_back(fmt::format("{} ({})", ids[i], verdict(g)));
  }
  if (!has_differences) return "";
  std::string text = fmt::format("    {} of {} parameters confirmed", n_confirmed, point.gradient.size());
  const std::size_t n_named = std::min(others.size(), n_listed);
  for (std::size_t i = 0; i < n_named; ++i) text += (i == 0 ? "; " : ", ") + others[i];
  if (others.size() > n_named) text += fmt::format(" and {} more", others.size() - n_named);
  return text + "\n";
}

Json of_parameter(const std::string& id, const ParameterGradient& g) {
  Json json{{"id", id}, {"verdict", verdict(g)}, {"forward", g.forward}, {"adjoint", g.adjoint}};
  json["difference"] = g.difference ? Json(g.difference->value) : Json();
  json["difference_error"] = g.difference ? Json(g.difference->error) : Json();
  return json;
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

}  // namespace

std::string GradientCheck::text_of(const PointCheck& point) const {
  if (point.trust == Trust::no_value) return fmt::format("{}: no value ({})\n", point.name, point.failure);
  std::string text = fmt::format("{}: {}; fval {:.8g}", point.name, name(point.trust), point.fval);
  if (point.gradient.empty()) return text + "; " + point.failure + "\n";
  text += fmt::format(", |gradient| {:.3g}; forward - adjoint {:.1e}", point.norm, point.forward_adjoint);
  if (!point.failure.empty()) text += "; " + point.failure;
  if (point.forward_difference) {
    text += fmt::format(", forward - differences {:.1e} (good to {:.1e})", *point.forward_difference,
                        *point.uncertainty);
  }
  text += "\n" + parameters_line(point, parameter_ids);
  if (point.trust == Trust::no) text += worst_parameters(point, parameter_ids);
  for (const std::string& condition : point.conditions) text += "    in condition " + condition + "\n";
  return text;
}

std::string GradientCheck::summary() const {
  const auto count = [&](Trust trust) { return std::ranges::count(points, trust, &PointCheck::trust); };
  std::string text = fmt::format(
      "{} trusted, {} not confirmed, {} not to be trusted, {} without a value (tolerance {:g})\n",
      count(Trust::yes), count(Trust::unsure), count(Trust::no), count(Trust::no_value), tolerance);
  if (count(Trust::no_value) == std::ssize(points)) return text + "no gradient could be checked\n";
  if (!can_be_trusted()) text += "the gradient is not confirmed\n";
  return text;
}

std::string GradientCheck::to_json() const {
  Json json{{"trusted", can_be_trusted()}, {"tolerance", tolerance}, {"points", Json::array()}};
  for (const PointCheck& point : points) {
    Json parameters = Json::array();
    for (std::size_t i = 0; i < point.gradient.size(); ++i)
      parameters.push_back(of_parameter(parameter_ids[i], point.gradient[i]));
    json["points"].push_back({{"name", point.name},
                              {"verdict", name(point.trust)},
                              {"fval", point.fval},
                              {"norm", point.norm},
                              {"forward_adjoint", point.forward_adjoint},
                              {"forward_difference", or_null(point.forward_difference)},
                              {"uncertainty", or_null(point.uncertainty)},
                              {"failure", point.failure},
                              {"conditions", point.conditions},
                              {"parameters", std::move(parameters)}});
  }
  return json.dump(2);
}

std::string GradientCheck::to_table() const {
  std::string table =
      "point\tparameterId\tscaledValue\tforward\tadjoint\tdifference\tdifferenceError\tstep\tverdict\n";
  for (const PointCheck& point : points) {
    for (std::size_t i = 0; i < point.x.size(); ++i) {
      table += fmt::format("{}\t{}\t{:.17g}", point.name, parameter_ids[i], point.x[i]);
      if (point.gradient.empty()) {
        table += "\t\t\t\t\t\t\n";
        continue;
      }
      const ParameterGradient& g = point.gradient[i];
      table += fmt::format("\t{:.17g}\t{:.17g}", g.forward, g.adjoint);
      table += g.difference ? fmt::format("\t{:.17g}\t{:.3g}\t{:.3g}", g.difference->value,
                                          g.difference->error, g.difference->step)
                            : "\t\t\t";
      table += fmt::format("\t{}\n", verdict(g));
    }
  }
  return table;
}

}  // namespace kinetune::study
