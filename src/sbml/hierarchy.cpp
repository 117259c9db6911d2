#include "sbml/hierarchy.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <sbml/SBMLTypes.h>
#include <sbml/packages/comp/common/CompExtensionTypes.h>

#include "core/file.hpp"
#include "sbml/xml_guard.hpp"

namespace kinetune::sbml {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_submodels = 10'000;

/// Counts what instantiating a model instantiates, following references into other files.
class Hierarchy {
 public:
  /// @return number of submodels in the model at all depths
  std::size_t size_of(const SBMLDocument& document, const std::string& file, const Model& model) {
    const auto [entry, is_new] = known_.try_emplace(&model);
    if (!is_new) {
      if (entry->second.open) refuse(model, file, fmt::format("model {} contains itself", model.getId()));
      return entry->second.size;
    }
    std::size_t size = 0;
    if (const auto* plugin = static_cast<const CompModelPlugin*>(model.getPlugin("comp"))) {
      for (unsigned i = 0; i < plugin->getNumSubmodels(); ++i) {
        const Submodel& submodel = *plugin->getSubmodel(i);
        size += 1 + size_of_reference(document, file, submodel.getModelRef());
        if (size > max_submodels)
          refuse(submodel, file, fmt::format("more than {} submodels", max_submodels));
      }
    }
    known_[&model] = {size, false};
    return size;
  }

 private:
  struct Count {
    std::size_t size = 0;
    bool open = true;  ///< its submodels are being counted
  };

  [[noreturn]] static void refuse(const SBase& element, const std::string& file, const std::string& what) {
    throw core::Error(location_of(element, file), what, "instantiate fewer models");
  }

  /// What leads nowhere counts nothing: libSBML reports it.
  std::size_t size_of_reference(const SBMLDocument& document, const std::string& file,
                                const std::string& id) {
    const Model* main = document.getModel();
    if (main && main->getId() == id) return size_of(document, file, *main);
    const auto* plugin = static_cast<const CompSBMLDocumentPlugin*>(document.getPlugin("comp"));
    if (!plugin) return 0;
    if (const Model* model = plugin->getModelDefinition(id)) return size_of(document, file, *model);
    const ExternalModelDefinition* external = plugin->getExternalModelDefinition(id);
    return external ? size_of_external(*external, file) : 0;
  }

  std::size_t size_of_external(const ExternalModelDefinition& definition, const std::string& file) {
    std::string source = definition.getSource();
    if (source.starts_with("file:")) source.erase(0, 5);
    const fs::path path = (fs::path(file).parent_path() / source).lexically_normal();
    std::error_code ignored;
    if (!fs::exists(path, ignored)) return 0;
    const auto key = std::pair{path.string(), definition.getModelRef()};
    if (!open_.insert(key).second) refuse(definition, file, fmt::format("{} contains itself", source));
    const SBMLDocument& document = opened(path.string());
    const Model* main = document.getModel();
    const std::string& id = definition.getModelRef();
    const std::size_t size = !main        ? 0
                             : id.empty() ? size_of(document, key.first, *main)
                                          : size_of_reference(document, key.first, id);
    open_.erase(key);
    return size;
  }

  const SBMLDocument& opened(const std::string& file) {
    Document& document = documents_[file];
    if (!document) {
      const std::string text = core::read_file(file);
      refuse_hostile_xml(text, file);
      document.reset(SBMLReader().readSBMLFromString(text));
    }
    return *document;
  }

  std::map<std::string, Document> documents_;
  std::map<const Model*, Count> known_;
  std::set<std::pair<std::string, std::string>> open_;  ///< files and models whose references are followed
};

}  // namespace

void refuse_hostile_hierarchy(const SBMLDocument& document, const std::string& name) {
  Hierarchy().size_of(document, name, *document.getModel());
}

}  // namespace kinetune::sbml
