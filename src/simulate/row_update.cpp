#include "simulate/row_update.hpp"

#include <algorithm>
#include <utility>

namespace kinetune::simulate {

double* Rows::operator[](int row) const {
  const std::size_t at = static_cast<std::size_t>(row) * width;
  return at < of_states.size() ? of_states.data() + at : more.data() + (at - of_states.size());
}

void RowUpdate::set(Row row) {
  const auto same = std::ranges::find(rows_, row.row, &Row::row);
  if (same == rows_.end())
    rows_.push_back(std::move(row));
  else
    *same = std::move(row);
}

int RowUpdate::last_row() const {
  int last = -1;
  for (const Row& r : rows_) {
    last = std::max(last, r.row);
    for (const auto& [row, weight] : r.rows) last = std::max(last, row);
  }
  return last;
}

void RowUpdate::carry(const Rows& rows) const {
  std::vector<double> changed(rows_.size() * rows.width);
  double* to = changed.data();
  for (const Row& r : rows_) {
    for (const auto& [row, weight] : r.rows) {
      const double* from = rows[row];
      for (std::size_t k = 0; k < rows.width; ++k) to[k] += weight * from[k];
    }
    for (const auto& [k, derivative] : r.parameters) to[k] += derivative;
    to += rows.width;
  }
  to = changed.data();
  for (const Row& r : rows_) {
    std::copy_n(to, rows.width, rows[r.row]);
    to += rows.width;
  }
}

void RowUpdate::carry_back(const Rows& adjoints, std::span<double> gradient) const {
  std::vector<double> of_new(rows_.size());
  for (std::size_t i = 0; i < rows_.size(); ++i) of_new[i] = std::exchange(*adjoints[rows_[i].row], 0.0);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    for (const auto& [row, weight] : rows_[i].rows) *adjoints[row] += weight * of_new[i];
    for (const auto& [k, derivative] : rows_[i].parameters) gradient[k] += derivative * of_new[i];
  }
}

}  // namespace kinetune::simulate
