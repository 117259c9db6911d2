#pragma once

#include <limits>
#include <map>
#include <optional>

#include "estimate/posterior.hpp"

namespace kinetune::estimate {

/// The likelihood at one point, gathered share by share, in whichever order they are done.
class PointEvaluation {
 public:
  /// @param x        on the parameters' scales; must stay
  /// @param details  where they are wanted; must stay
  PointEvaluation(const Problem&, std::span<const double> x, Details* details = nullptr);

  std::span<const double> x() const { return x_; }
  std::span<const double> x_linear() const { return x_linear_; }
  Details* details() const { return details_; }

  /// Has the sums of each share go there, instead of into one. @param each  (n_shares)
  void keep_each(std::span<LikelihoodSums> each) { each_ = each; }

  /// Has residuals go into these. @param squares  zeros of the right shape
  void keep_squares(LeastSquares squares) { squares_ = std::move(squares); }
  LeastSquares* squares() { return squares_ ? &*squares_ : nullptr; }

  /// Whether a share would tell nothing any more: one before it has failed, and nobody asks for details.
  bool is_decided_before(std::size_t share) const { return !details_ && first_failed_ < share; }
  void fail(std::size_t share, optimize::EvaluationFailure);
  void fail(std::size_t share, const SimulationStatus&);
  void add(std::size_t share, LikelihoodSums);
  std::size_t first_failed() const { return first_failed_; }  ///< beyond all shares where none has
  /// Notes that another method had to carry a share out.
  void note_fallback() { has_fallen_back_ = true; }
  bool has_fallen_back() const { return has_fallen_back_; }

  /// The sum over all shares, added up in their order; or why the first of those failed that did.
  std::expected<LikelihoodSums, optimize::EvaluationFailure> take_sums();

 private:
  std::span<const double> x_;
  std::vector<double> x_linear_;
  Details* details_;
  std::span<LikelihoodSums> each_;
  std::optional<LeastSquares> squares_;
  bool has_fallen_back_ = false;
  std::size_t first_failed_ = std::numeric_limits<std::size_t>::max();
  optimize::EvaluationFailure failure_;
  std::size_t n_added_ = 0;
  LikelihoodSums total_;
  std::map<std::size_t, LikelihoodSums> waiting_;  // for those before them
};

}  // namespace kinetune::estimate
