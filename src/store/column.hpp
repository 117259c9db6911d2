#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace kinetune::store {

/// What one element of a column is. `category` is a small number with a label (an HDF5 enumeration).
enum class ElementType { float64, float32, int64, uint64, category, text };

/// Elements of a column, row after row. int8 are the codes of a category.
using Values = std::variant<std::vector<double>, std::vector<float>, std::vector<std::int64_t>,
                            std::vector<std::uint64_t>, std::vector<std::int8_t>, std::vector<std::string>>;

/// A dataset that grows by rows; every row has the same shape.
struct Column {
  std::string path;  ///< "/results/x"; groups on the way are made
  ElementType type = ElementType::float64;
  std::string description;                    ///< what a reader is told in the attribute of that name
  std::string unit = {};                      ///< left out of the file where empty
  std::vector<std::uint64_t> row_shape = {};  ///< {}: one element a row; every extent > 0
  std::vector<std::string> labels = {};       ///< of a category: the label of code i
};

/// What an attribute can hold.
using Attribute = std::variant<std::string, std::uint64_t, double, std::vector<std::string>>;

/// The values that a column of this type takes, without any element.
Values no_values(ElementType);
std::uint64_t n_elements(const Values&);
std::uint64_t n_elements_per_row(const Column&);
/// Adds the elements of `more`, which has the same alternative.
void extend(Values& values, Values more);

}  // namespace kinetune::store
