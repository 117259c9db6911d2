#include "petab/placeholders.hpp"

#include <charconv>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace kinetune::petab {
namespace {

constexpr std::string_view observable_prefix = "observableParameter";
constexpr std::string_view noise_prefix = "noiseParameter";

struct Placeholder {
  std::string_view prefix;
  int number;
  std::string_view observable_id;
};

std::optional<Placeholder> parse_placeholder(std::string_view id) {
  for (const std::string_view prefix : {observable_prefix, noise_prefix}) {
    if (id.substr(0, prefix.size()) != prefix) continue;
    const std::string_view rest = id.substr(prefix.size());
    int number = 0;
    const auto [stop, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    const auto n_digits = static_cast<std::size_t>(stop - rest.data());
    if (code != std::errc{} || n_digits == rest.size() || *stop != '_') continue;
    return Placeholder{prefix, number, rest.substr(n_digits + 1)};
  }
  return std::nullopt;
}

std::string compose(std::string_view prefix, const std::string& observable_id, int k) {
  return fmt::format("{}{}_{}", prefix, k, observable_id);
}

/// The placeholders of one kind in their order; they must be numbered 1 … n.
std::vector<std::string> in_order(const Observable& observable, std::string_view prefix,
                                  const std::set<std::string>& found, Diagnostics& diagnostics) {
  const int n = static_cast<int>(found.size());
  std::vector<std::string> names;
  for (int k = 1; k <= n; ++k) {
    names.push_back(compose(prefix, observable.id, k));
    if (!found.contains(names.back())) {
      diagnostics.report(observable.where,
                         fmt::format("{} placeholders of {}, but no {}", n, observable.id, names.back()),
                         "number them from 1 without gaps");
      break;
    }
  }
  return names;
}

}  // namespace

std::string observable_placeholder(const std::string& observable_id, int k) {
  return compose(observable_prefix, observable_id, k);
}

std::string noise_placeholder(const std::string& observable_id, int k) {
  return compose(noise_prefix, observable_id, k);
}

std::string_view placeholder_owner(std::string_view id) {
  const auto placeholder = parse_placeholder(id);
  return placeholder ? placeholder->observable_id : std::string_view{};
}

void find_placeholders(Observable& observable, const symbolic::Expr& formula,
                       const symbolic::Expr& noise_formula, Diagnostics& diagnostics) {
  std::set<std::string> of_observable, of_noise;
  const auto visit = [&](const symbolic::Expr& expression) {
    for (const symbolic::Expr& symbol : symbolic::free_symbols(expression)) {
      const auto placeholder = parse_placeholder(symbol.name());
      if (!placeholder || placeholder->observable_id != observable.id) continue;
      (placeholder->prefix == noise_prefix ? of_noise : of_observable).insert(symbol.name());
    }
  };
  visit(formula);
  if (!of_noise.empty()) {
    diagnostics.report(observable.where, fmt::format("{} stands in observableFormula", *of_noise.begin()),
                       "noise parameters belong into noiseFormula");
  }
  visit(noise_formula);
  observable.observable_placeholders = in_order(observable, observable_prefix, of_observable, diagnostics);
  observable.noise_placeholders = in_order(observable, noise_prefix, of_noise, diagnostics);
}

}  // namespace kinetune::petab
