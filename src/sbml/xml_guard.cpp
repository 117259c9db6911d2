#include "sbml/xml_guard.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "core/error.hpp"

namespace kinetune::sbml {
namespace {

constexpr int max_depth = 250;                   // libxml2's own limit is 256
constexpr std::size_t max_formula_tag = 10'000;  // characters; Level 1 formulas nest inside one attribute

/// Walks over the tags of a text and counts how deep they nest.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  void run() {
    while ((at_ = text_.find('<', at_)) != text_.npos) {
      if (starts_with("<!--"))
        skip_past("-->");
      else if (starts_with("<![CDATA["))
        skip_past("]]>");
      else if (starts_with("<?"))
        skip_past("?>");
      else if (starts_with("<!DOCTYPE"))
        refuse("document type declarations are not supported", "remove it");
      else if (starts_with("</"))
        --depth_, ++at_;
      else
        tag();
    }
  }

 private:
  bool starts_with(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  void skip_past(std::string_view closing) {
    const auto found = text_.find(closing, at_);
    at_ = found == text_.npos ? text_.size() : found + closing.size();
  }

  void tag() {
    const auto end = end_of_tag();
    const auto content = text_.substr(at_, end - at_);
    if (content.size() > max_formula_tag && content.find("formula") != content.npos) {
      refuse("a formula is too long", fmt::format("keep it below {} characters", max_formula_tag));
    }
    if (!content.ends_with('/') && ++depth_ > max_depth) {
      refuse(fmt::format("elements are nested more than {} deep", max_depth), "split the formula by rules");
    }
    at_ = end;
  }

  /// Of the closing '>', which may also stand inside a quoted attribute.
  std::size_t end_of_tag() const {
    char quote = 0;
    for (std::size_t i = at_; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote)
        quote = c == quote ? 0 : quote;
      else if (c == '"' || c == '\'')
        quote = c;
      else if (c == '>')
        return i;
    }
    return text_.size();
  }

  [[noreturn]] void refuse(const std::string& what, const std::string& suggestion) const {
    const auto line = 1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    throw core::Error({name_, static_cast<int>(line)}, what, suggestion);
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

/// What a failed download often leaves.
void refuse_web_page(std::string_view text, const core::Location& where) {
  constexpr std::string_view doctype = "<!doctype html", element = "<html";
  const auto begins_with = [&](std::string_view tag) {
    return text.size() >= tag.size() && std::equal(tag.begin(), tag.end(), text.begin(), [](char a, char b) {
             return a == std::tolower(static_cast<unsigned char>(b));
           });
  };
  if (!begins_with(doctype) && !begins_with(element)) return;
  throw core::Error(where, "a web page, not an SBML file", "get the model file itself");
}

}  // namespace

void refuse_hostile_xml(std::string_view text, const std::string& name) {
  const auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first == text.npos || text[first] != '<') {
    throw core::Error({name, 1}, "not an XML file", "give an SBML file, encoded as UTF-8");
  }
  if (text.find('\0') != text.npos) {
    throw core::Error({name, 0}, "not a text file: it contains a byte of value 0",
                      "give an SBML file, encoded as UTF-8");
  }
  refuse_web_page(text.substr(first),
                  {name, 1 + static_cast<int>(std::count(
                                 text.begin(), text.begin() + static_cast<std::ptrdiff_t>(first), '\n'))});
  Scanner(text, name).run();
}

}  // namespace kinetune::sbml
