#pragma once

#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace kinetune::suites {

enum class Verdict { passed, failed, refused };

/// What became of a case. A reason for all but those that passed.
struct CaseResult {
  std::string name;
  Verdict verdict;
  std::string reason;
  std::string tags = {};
};

inline const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::passed:
      return "passed";
    case Verdict::failed:
      return "failed";
    case Verdict::refused:
      break;
  }
  return "refused";
}

/// Prints the cases that did not pass as they come, and the counts.
class SuiteReport {
 public:
  void add(CaseResult result) {
    if (result.verdict != Verdict::passed)
      std::cout << fmt::format("{} {}: {}\n", result.name, to_string(result.verdict), result.reason)
                << std::flush;
    results_.push_back(std::move(result));
  }

  int count(Verdict verdict) const {
    int n = 0;
    for (const CaseResult& r : results_) n += r.verdict == verdict;
    return n;
  }

  void close() const {
    std::cout << fmt::format("{} passed, {} failed, {} refused\n", count(Verdict::passed),
                             count(Verdict::failed), count(Verdict::refused));
  }

  void write_table(const std::string& path) const {
    std::ofstream out(path);
    out << "case\tverdict\treason\ttags\n";
    for (const CaseResult& r : results_) {
      std::string reason = r.reason;
      for (char& c : reason) c = c == '\t' || c == '\n' ? ' ' : c;
      out << fmt::format("{}\t{}\t{}\t{}\n", r.name, to_string(r.verdict), reason, r.tags);
    }
    if (!out.flush()) throw std::runtime_error("cannot write " + path);
  }

 private:
  std::vector<CaseResult> results_;
};

}  // namespace kinetune::suites
