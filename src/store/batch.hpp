#pragma once

#include <map>
#include <string>
#include <utility>

#include "store/column.hpp"

namespace kinetune::store {

/// Changes to a file that belong together, as a value: rows to append, columns to rewrite, attributes to set.
class Batch {
 public:
  enum class Mode { append, replace };
  struct Change {
    Column column;
    Values values;  ///< whole rows
    Mode mode = Mode::append;
  };

  /// Adds rows to a column, which is made where the file lacks it. No rows: the column is only made.
  void append(const Column&, Values rows = {});
  /// Whatever the column holds gives way to these rows.
  void replace(const Column&, Values rows);
  /// @param object  path of a column or a group, "/" for the file
  void set_attribute(const std::string& object, const std::string& name, Attribute);

  bool empty() const { return changes_.empty() && attributes_.empty(); }
  const std::map<std::string, Change>& changes() const { return changes_; }  ///< by path
  const std::map<std::pair<std::string, std::string>, Attribute>& attributes() const { return attributes_; }

 private:
  std::map<std::string, Change> changes_;
  std::map<std::pair<std::string, std::string>, Attribute> attributes_;
};

}  // namespace kinetune::store
