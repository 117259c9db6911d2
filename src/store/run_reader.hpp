#pragma once

#include <filesystem>
#include <vector>

#include "store/h5_file.hpp"
#include "store/run_rows.hpp"

namespace kinetune::store {

/// Reads a run file (layout: run_file.hpp) as it was when it was opened. Close it soon: while it is open, the
/// writer has to copy the file once.
class RunReader {
 public:
  /// @throws core::Error when it is no run file or of another version
  explicit RunReader(const std::filesystem::path&);

  RunHeader header() const;
  std::vector<ParameterRow> parameters() const;
  std::vector<StartRow> starts() const;
  std::vector<ResultRow> results() const;                     ///< in the order of finishing
  std::vector<TraceRow> trace(std::uint64_t start_id) const;  ///< empty if it has none
  std::vector<RankRow> ranks() const;
  std::vector<FitRow> fit() const;       ///< empty before the end
  std::vector<CurveRow> curves() const;  ///< empty before the end

  /// For columns beyond these.
  const H5File& file() const { return file_; }

 private:
  std::uint64_t n_x() const;

  H5File file_;
};

}  // namespace kinetune::store
