#pragma once

#include <stdexcept>
#include <string>

namespace kinetune::core {

/// A place in an input file. Lines count from 1; 0 means the file as a whole.
struct Location {
  std::string file;
  int line = 0;
};

/// Bad input or set-up: where, what is wrong, what would be right. The program prints it and ends with exit
/// code 2. Never used for an expected numerical failure (those are std::expected) nor for a bug (those are
/// assertions).
class Error : public std::runtime_error {
 public:
  /// `what()` reads "file:line: what; suggestion", less the parts that are empty. What belongs to no file,
  /// such as an unknown option, has the location {}.
  Error(Location where, std::string what, std::string suggestion = {});

  const Location& where() const noexcept { return where_; }

 private:
  Location where_;
};

}  // namespace kinetune::core
