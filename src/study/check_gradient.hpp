#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "estimate/posterior.hpp"
#include "optimize/differences.hpp"

namespace kinetune::study {

struct CheckGradientOptions {
  std::filesystem::path problem;
  std::optional<std::filesystem::path> parameters;  ///< table, of the first point; nominal values without
  simulate::IntegratorOptions integrator;           ///< of the gradients
  /// Of the values that differences are taken of; no looser than those of the gradients. Where these leave a
  /// gradient unconfirmed, they are taken again of values at a hundredth of the tolerances, by this method
  /// and by Rodas5P.
  simulate::IntegratorOptions tight{
      .rtol = 1e-10, .atol = 1e-16, .max_steps = 200000, .method = simulate::Method::cvodes};
  int n_random = 3;  ///< points uniform within the bounds
  std::uint64_t seed = 0;
  int n_differences = 1 << 30;  ///< points at which differences are taken, the first ones
  int n_directions = 0;         ///< random ones that differences are taken along; 0: along each parameter
  double tolerance = 1e-4;      ///< norm-wise, relative

  /// @throws core::Error
  void validate() const;
};

enum class Trust {
  yes,
  unsure,    ///< the methods agree, but differences are too noisy to confirm them, or cannot be taken
  no,        ///< a method fails, or they do not agree
  no_value,  ///< the objective itself cannot be computed there: nothing to judge
};

/// What the ways to a derivative say, by a parameter on its scale.
struct ParameterGradient {
  double unit = 1;  ///< a decade on a logarithmic scale, the value itself on a linear one
  double forward = 0, adjoint = 0;
  std::optional<optimize::Difference> difference;
  /// Relative to the derivative itself or to a hundredth of what the point's are relative to, whichever is
  /// larger. Without a difference: of the two methods.
  Trust trust = Trust::no;
};

/// One point. Norms are of derivatives by units. Differences are relative to the gradient's norm or, where
/// this is smaller, to a hundredth of |r| |J|, what it would be if residuals r and their derivatives J did
/// not cancel as they do near an optimum; what rounding errors of the objective hide is no difference.
struct PointCheck {
  std::string name;
  Trust trust = Trust::no;
  double fval = 0;
  double norm = 0;                                        ///< of the forward gradient
  std::vector<double> x;                                  ///< (n_x)
  std::vector<ParameterGradient> gradient;                ///< (n_x), empty where a method fails
  double forward_adjoint = 0;                             ///< relative difference
  std::optional<double> forward_difference, uncertainty;  ///< of the differences; absent if not taken
  std::string failure;                                    ///< what failed: method, reason, condition, time
  std::vector<std::string> conditions;  ///< where the methods do not agree, each alone; the only one
};

struct GradientCheck {
  std::vector<std::string> parameter_ids;
  double tolerance;
  std::vector<PointCheck> points;

  /// A gradient was checked, and of those that were none is in doubt.
  bool can_be_trusted() const;
  std::string text_of(const PointCheck&) const;  ///< for a reader
  std::string summary() const;
  std::string to_json() const;
  std::string to_table() const;  ///< tab-separated: a line a point and parameter
};

/// Compares forward sensitivities, adjoints and central differences.
/// @param seen  called after each point, the last one of what it is given
/// @throws core::Error for bad input
GradientCheck check_gradient(const CheckGradientOptions&,
                             const std::function<void(const GradientCheck&)>& seen = {});

}  // namespace kinetune::study
