#include "store/column.hpp"

#include <cassert>
#include <functional>
#include <iterator>
#include <numeric>

namespace kinetune::store {

Values no_values(ElementType type) {
  switch (type) {
    case ElementType::float64:
      return std::vector<double>{};
    case ElementType::float32:
      return std::vector<float>{};
    case ElementType::int64:
      return std::vector<std::int64_t>{};
    case ElementType::uint64:
      return std::vector<std::uint64_t>{};
    case ElementType::category:
      return std::vector<std::int8_t>{};
    case ElementType::text:
      break;
  }
  return std::vector<std::string>{};
}

std::uint64_t n_elements(const Values& values) {
  return std::visit([](const auto& elements) { return std::uint64_t{elements.size()}; }, values);
}

std::uint64_t n_elements_per_row(const Column& column) {
  return std::accumulate(column.row_shape.begin(), column.row_shape.end(), std::uint64_t{1},
                         std::multiplies{});
}

void extend(Values& values, Values more) {
  assert(values.index() == more.index());
  std::visit(
      [&more]<class Elements>(Elements& elements) {
        Elements& added = std::get<Elements>(more);
        elements.insert(elements.end(), std::make_move_iterator(added.begin()),
                        std::make_move_iterator(added.end()));
      },
      values);
}

}  // namespace kinetune::store
