#include "petab/diagnostics.hpp"

namespace kinetune::petab {

void Diagnostics::report(core::Location where, std::string what, std::string suggestion) {
  report(core::Error(std::move(where), std::move(what), std::move(suggestion)));
}

void Diagnostics::report(core::Error error) {
  if (seen_.insert(error.what()).second) errors_.push_back(std::move(error));
}

void Diagnostics::throw_first() const {
  if (!errors_.empty()) throw errors_.front();
}

}  // namespace kinetune::petab
