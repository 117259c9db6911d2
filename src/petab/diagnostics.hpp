#pragma once

#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "core/error.hpp"

namespace kinetune::petab {

/// Collects everything that is wrong with an input. A check reports here and goes on; whoever asked decides
/// whether the first error ends the program or all of them are shown.
class Diagnostics {
 public:
  void report(core::Location where, std::string what, std::string suggestion = {});
  void report(core::Error);  ///< the same error once: two checks may meet it

  /// Runs a step that may throw core::Error and reports what it throws.
  /// @return whether the step ended
  template <class Step>
  bool attempt(Step&& step) {
    try {
      std::forward<Step>(step)();
      return true;
    } catch (const core::Error& error) {
      report(error);
      return false;
    }
  }

  const std::vector<core::Error>& errors() const noexcept { return errors_; }  ///< in the order of reading
  void throw_first() const;                                                    ///< nothing where all is well

 private:
  std::vector<core::Error> errors_;
  std::unordered_set<std::string> seen_;
};

}  // namespace kinetune::petab
