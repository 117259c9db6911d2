#include "core/error.hpp"

#include <utility>

namespace kinetune::core {
namespace {

std::string compose(const Location& where, const std::string& what, const std::string& suggestion) {
  std::string text;
  if (!where.file.empty()) text += where.file + ":";
  if (where.line > 0) text += std::to_string(where.line) + ":";
  if (!text.empty()) text += " ";
  text += what;
  if (!suggestion.empty()) text += "; " + suggestion;
  return text;
}

}  // namespace

Error::Error(Location where, std::string what, std::string suggestion)
    : std::runtime_error(compose(where, what, suggestion)), where_(std::move(where)) {}

}  // namespace kinetune::core
