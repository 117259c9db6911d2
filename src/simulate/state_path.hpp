#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace kinetune::simulate {

/// The states of a forward run, at all its steps and between them by Hermite's cubics, for the way back. A
/// step takes 8 (2 n_states + 1) bytes.
class StatePath {
 public:
  explicit StatePath(std::size_t n_states) : n_(n_states), result_(n_states) {}

  void clear();
  /// Adds a step's end; times ascend.
  /// @param x, slopes  (n_states) and their derivatives by time. CVODES' own are smoother than the rates at
  /// x, which make
  ///                   much of small errors where the system is stiff.
  void add(double t, std::span<const double> x, std::span<const double> slopes);

  /// The states (n_states) at a time within the path, until the next call.
  const double* at(double t);

 private:
  std::size_t n_;
  std::vector<double> times_, x_, slopes_;  // (n_steps + 1), (n_steps + 1, n_states) twice
  std::size_t step_ = 0;                    // that was asked for last, by the index of its end
  std::vector<double> result_;
};

}  // namespace kinetune::simulate
