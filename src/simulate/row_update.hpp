#pragma once

#include <span>
#include <utility>
#include <vector>

namespace kinetune::simulate {

/// Rows of derivatives by the active parameters: one a state, and behind them as many more as are needed.
/// The transposed form is a column of adjoints.
struct Rows {
  std::span<double> of_states;  ///< (n_states, width) row-major
  std::vector<double>& more;    ///< (n, width) row-major
  std::size_t width;            ///< n_active; of adjoints: 1

  double* operator[](int row) const;
};

/// A linear change of some rows at one time: what a jump does to sensitivities, and transposed to adjoints.
class RowUpdate {
 public:
  /// A row's new value: the sum of weights times rows as they were before, and of derivatives by parameters.
  struct Row {
    int row;
    std::vector<std::pair<int, double>> rows;        ///< (row, weight)
    std::vector<std::pair<int, double>> parameters;  ///< (index of the active parameter, derivative)
  };

  /// Replaces what was set for the same row.
  void set(Row);
  bool is_empty() const { return rows_.empty(); }
  /// The greatest row it touches, -1 if none.
  int last_row() const;

  void carry(const Rows&) const;
  /// @param gradient  (n_active) is added to
  void carry_back(const Rows& adjoints, std::span<double> gradient) const;

 private:
  std::vector<Row> rows_;
};

}  // namespace kinetune::simulate
