#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/run_rows.hpp"

namespace kinetune::study {

/// All that one start has brought, as it goes to the run file, and between ranks.
struct StartOutcome {
  store::StartRow start;
  store::ResultRow result;
  std::vector<store::TraceRow> trace;

  std::string to_bytes() const;
  static StartOutcome from_bytes(std::string_view);
};

}  // namespace kinetune::study
