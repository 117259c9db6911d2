#pragma once

#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "store/batch.hpp"
#include "store/h5_file.hpp"

namespace kinetune::store {

/// Which column a member of a row goes to. T: a number, a text, an enum (a category), or a vector of double
/// (a row).
template <class Row, class T>
struct Field {
  T Row::*member;
  Column column;
};

/// A group of columns as a list of structs: one declaration serves to make, write and read them.
template <class Row, class... T>
class RowTable {
 public:
  explicit RowTable(Field<Row, T>... fields) : fields_(std::move(fields)...) {}

  /// Without rows the columns are only made.
  void append(Batch& batch, std::span<const Row> rows) const {
    each([&](const auto& field) { batch.append(field.column, gather(field, rows)); });
  }
  void replace(Batch& batch, std::span<const Row> rows) const {
    each([&](const auto& field) { batch.replace(field.column, gather(field, rows)); });
  }
  /// All rows, or some.
  std::vector<Row> read(const H5File& file, std::optional<Rows> which = {}) const {
    if (!which) which = Rows{0, file.shape(std::get<0>(fields_).column.path).at(0)};
    std::vector<Row> rows(which->count);
    each([&](const auto& field) { scatter(file, field, *which, rows); });
    return rows;
  }

 private:
  template <class M>
  struct Stored {
    using type = M;
  };
  template <class M>
  requires std::is_enum_v<M>
  struct Stored<M> {
    using type = std::int8_t;
  };
  template <class Element>
  struct Stored<std::vector<Element>> {
    using type = Element;
  };

  template <class Action>
  void each(const Action& action) const {
    std::apply([&](const auto&... field) { (action(field), ...); }, fields_);
  }

  template <class M>
  static Values gather(const Field<Row, M>& field, std::span<const Row> rows) {
    using Element = typename Stored<M>::type;
    std::vector<Element> elements;
    for (const Row& row : rows) {
      const M& member = row.*field.member;
      if constexpr (std::is_same_v<M, std::vector<Element>>) {
        elements.insert(elements.end(), member.begin(), member.end());
      } else {
        elements.push_back(static_cast<Element>(member));
      }
    }
    return elements;
  }

  template <class M>
  static void scatter(const H5File& file, const Field<Row, M>& field, Rows which, std::vector<Row>& rows) {
    using Element = typename Stored<M>::type;
    const std::vector<Element> elements = file.read<Element>(field.column.path, which);
    const std::size_t n = n_elements_per_row(field.column);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if constexpr (std::is_same_v<M, std::vector<Element>>) {
        (rows[i].*field.member).assign(&elements[i * n], &elements[i * n] + n);
      } else {
        rows[i].*field.member = static_cast<M>(elements[i]);
      }
    }
  }

  std::tuple<Field<Row, T>...> fields_;
};

}  // namespace kinetune::store
