#include "store/batch.hpp"

#include <cassert>

namespace kinetune::store {
namespace {

/// A default-made `Values` stands for "no rows" whatever the column's type is.
Values of_type(const Column& column, Values rows) {
  Values empty = no_values(column.type);
  if (n_elements(rows) == 0) return empty;
  assert(rows.index() == empty.index());
  assert(n_elements(rows) % n_elements_per_row(column) == 0);
  return rows;
}

}  // namespace

void Batch::append(const Column& column, Values rows) {
  const auto [change, made] = changes_.try_emplace(column.path, column, no_values(column.type));
  extend(change->second.values, of_type(column, std::move(rows)));
}

void Batch::replace(const Column& column, Values rows) {
  changes_.insert_or_assign(column.path, Change{column, of_type(column, std::move(rows)), Mode::replace});
}

void Batch::set_attribute(const std::string& object, const std::string& name, Attribute value) {
  attributes_.insert_or_assign({object, name}, std::move(value));
}

}  // namespace kinetune::store
