#include "petab/diagnostics.hpp"

namespace kinetune::petab {

void Diagnostics::report(core::Location where, std::string what, std::string suggestion) {
  errors_.emplace_back(std::move(where), std::move(what), std::move(suggestion));
}

void Diagnostics::throw_first() const {
  if (!errors_.empty()) throw errors_.front();
}

}  // namespace kinetune::petab
