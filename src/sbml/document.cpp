#include "sbml/document.hpp"

#include <cctype>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>
#include <sbml/conversion/ConversionProperties.h>
#include <sbml/packages/comp/common/CompExtensionTypes.h>

#include "sbml/hierarchy.hpp"
#include "sbml/xml_guard.hpp"

namespace kinetune::sbml {
namespace {

/// libSBML's message on one line. It cites the rule, then "Reference: ", then says what is wrong here, which
/// is enough where it is given.
std::string short_form(const std::string& message) {
  const auto reference = message.find("Reference: ");
  const auto detail = reference == message.npos ? message.npos : message.find('\n', reference);
  const bool has_detail = detail != message.npos && message.find_first_not_of(" \n", detail) != message.npos;
  std::string text;
  for (const char c : has_detail ? message.substr(detail) : message) {
    const bool blank = std::isspace(static_cast<unsigned char>(c));
    if (!blank)
      text += c;
    else if (!text.empty() && text.back() != ' ')
      text += ' ';
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '.')) text.pop_back();
  return text;
}

/// What is wrong with notes, annotations and ids of metadata changes no equation.
bool concerns_metadata(const SBMLError& error) {
  const unsigned id = error.getErrorId();
  const bool annotation = id >= MissingAnnotationNamespace && id <= MultipleAnnotations;
  const bool rdf = id >= RDFMissingAboutTag && id <= NestedAnnotationNotAllowed;
  const bool notes = id >= NotesNotInXHTMLNamespace && id <= OnlyOneNotesElementAllowed;
  return annotation || rdf || notes || id == InvalidMetaidSyntax || id == AnnotationNotesNotAllowedLevel1;
}

/// Level 2 files exist that hold a layout as Level 3 has it. These packages describe drawings and
/// collections, which are in no equation.
bool concerns_drawing(const SBMLError& error) {
  const auto complains_of = [&](const std::string& what) {
    return error.getMessage().find(what) != std::string::npos;
  };
  for (const char* package : {"layout", "layout_L2", "render", "groups"}) {
    if (complains_of(fmt::format("The L3 package '{}' cannot be used in this document", package)))
      return true;
  }
  return complains_of("Element 'listOfLayouts' is not part of the definition of SBML Level 2");
}

/// libSBML names a package by its prefix, in quotes at the end of the message; its namespace tells more.
std::string unknown_package(const SBMLDocument& document, const std::string& message) {
  const auto last = message.rfind('\'');
  const auto first = last == message.npos || last == 0 ? message.npos : message.rfind('\'', last - 1);
  if (first == message.npos) return "that libSBML does not know";
  const std::string prefix = message.substr(first + 1, last - first - 1);
  const XMLNamespaces* namespaces = document.getNamespaces();
  return namespaces && namespaces->hasPrefix(prefix) ? namespaces->getURI(prefix) : prefix;
}

[[noreturn]] void refuse(const SBMLDocument& document, const SBMLError& error, const std::string& name) {
  const core::Location where{name, static_cast<int>(error.getLine())};
  if (error.getErrorId() == XMLAttributeTypeMismatch)
    throw core::Error(where, short_form(error.getMessage()), "give a number that a double can hold");
  if (error.getCategory() == LIBSBML_CAT_XML) throw core::Error(where, "not well-formed XML");
  if (error.getErrorId() == RequiredPackagePresent) {
    throw core::Error(where, fmt::format("the model requires the SBML package {}, which is not supported",
                                         unknown_package(document, error.getMessage())));
  }
  throw core::Error(where, "not valid SBML: " + short_form(error.getMessage()));
}

void refuse_errors(const SBMLDocument& document, const std::string& name) {
  for (unsigned i = 0; i < document.getNumErrors(); ++i) {
    const SBMLError& error = *document.getError(i);
    const bool announces_others =
        error.getErrorId() == CompModelFlatteningFailed && i + 1 < document.getNumErrors();
    const bool is_harmless = concerns_metadata(error) || concerns_drawing(error);
    if (error.getSeverity() < LIBSBML_SEV_ERROR || is_harmless || announces_others) continue;
    refuse(document, error, name);
  }
}

/// Packages that libSBML does not know are among its errors; these are what it knows.
void refuse_packages(SBMLDocument& document, const std::string& name) {
  if (document.getLevel() < 3) return;
  for (unsigned i = 0; i < document.getNumPlugins(); ++i) {
    const SBasePlugin& plugin = *document.getPlugin(i);
    const std::string& package = plugin.getPackageName();
    if (package == "comp" && plugin.getPrefix() != "comp") {  // libSBML 5.19 would crash when it flattens
      throw core::Error(location_of(document, name),
                        fmt::format("the package comp has the prefix {}", plugin.getPrefix()),
                        "call it comp");
    }
    if (package == "comp" || package == "l3v2extendedmath") continue;
    if (document.isSetPackageRequired(package) && document.getPackageRequired(package)) {
      throw core::Error(
          location_of(document, name),
          fmt::format("the model requires the SBML package {}, which is not supported", package));
    }
  }
}

bool is_hierarchical(const SBMLDocument& document) {
  const auto* plugin = static_cast<const CompModelPlugin*>(document.getModel()->getPlugin("comp"));
  return plugin && plugin->getNumSubmodels() > 0;
}

/// libSBML throws where elements of one level or package stand in a document of another.
template <class Step>
auto guarded(const std::string& name, Step&& step) {
  try {
    return step();
  } catch (const std::invalid_argument& error) {
    throw core::Error({name, 0}, fmt::format("not valid SBML: {}", error.what()));
  }
}

void flatten_hierarchy(SBMLDocument& document, const std::string& name) {
  const auto folder = std::filesystem::path(name).parent_path();
  ConversionProperties properties;
  properties.addOption("flatten comp", true);
  properties.addOption("performValidation", false);
  properties.addOption("leavePorts", false);
  properties.addOption("basePath", folder.empty() ? std::string(".") : folder.string());
  document.getErrorLog()->clearLog();
  const int status = guarded(name, [&] { return document.convert(properties); });
  refuse_errors(document, name);
  if (status != LIBSBML_OPERATION_SUCCESS || !document.getModel()) {
    throw core::Error({name, 0}, "the hierarchical model cannot be flattened");
  }
}

}  // namespace

void DocumentDeleter::operator()(SBMLDocument* document) const { delete document; }

core::Location location_of(const SBase& element, const std::string& name) {
  return {name, static_cast<int>(element.getLine())};
}

std::vector<core::Error> inconsistencies_of(SBMLDocument& document, const std::string& name) {
  document.setConsistencyChecks(LIBSBML_CAT_UNITS_CONSISTENCY, false);
  document.setConsistencyChecks(LIBSBML_CAT_MODELING_PRACTICE, false);
  document.getErrorLog()->clearLog();
  guarded(name, [&] { return document.checkConsistency(); });
  std::vector<core::Error> found;
  for (unsigned i = 0; i < document.getNumErrors(); ++i) {
    const SBMLError& error = *document.getError(i);
    if (error.getSeverity() < LIBSBML_SEV_ERROR || concerns_metadata(error)) continue;
    found.emplace_back(core::Location{name, static_cast<int>(error.getLine())},
                       "not valid SBML: " + short_form(error.getMessage()));
  }
  return found;
}

Document open_document(const std::string& file_content, const std::string& name) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  const bool marked = file_content.starts_with(byte_order_mark);
  const std::string text = marked ? file_content.substr(byte_order_mark.size()) : file_content;
  refuse_hostile_xml(text, name);
  // Without a declaration libSBML would add one on a line of its own, and count lines from there.
  const char* declaration = text.starts_with("<?xml") ? "" : "<?xml version='1.0' encoding='UTF-8'?>";
  Document document(guarded(name, [&] { return SBMLReader().readSBMLFromString(declaration + text); }));
  refuse_errors(*document, name);
  if (!document->getModel()) throw core::Error({name, 0}, "the file has no model");
  refuse_packages(*document, name);
  if (is_hierarchical(*document)) {
    guarded(name, [&] { refuse_hostile_hierarchy(*document, name); });
    document->setLocationURI("file:" + name);
    flatten_hierarchy(*document, name);
  }
  return document;
}

}  // namespace kinetune::sbml
