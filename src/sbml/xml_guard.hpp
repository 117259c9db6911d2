#pragma once

#include <string>
#include <string_view>

namespace kinetune::sbml {

/// libSBML reads, copies and frees documents by recursion: what is nested without bound would overflow the
/// stack inside it. This looks over a text before libSBML sees it; the XML parser judges well-formedness.
/// @throws core::Error for elements nested too deeply, formulas that are too long, document type
///         declarations, and texts that cannot be UTF-8 XML at all
void refuse_hostile_xml(std::string_view text, const std::string& name);

}  // namespace kinetune::sbml
