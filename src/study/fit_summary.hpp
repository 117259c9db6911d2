#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "estimate/problem.hpp"
#include "parallel/work_queue.hpp"
#include "store/run_rows.hpp"

namespace kinetune::study {

/// What is told at the end of a session.
struct FitSummary {
  std::filesystem::path run_file;
  const estimate::Problem& problem;
  const std::vector<store::ResultRow>& ranking;  ///< best first, without failed starts
  const std::vector<store::ResultRow>& results;  ///< of all starts that have ended
  std::uint64_t n_starts;
  const parallel::QueueReport& report;
  std::string stopped_by;  ///< empty when the study is complete
};

/// The best starts, how the others ended, how busy the ranks were, and what to do next, to standard output.
void print_summary(const FitSummary&);

}  // namespace kinetune::study
