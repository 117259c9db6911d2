#include "store/run_reader.hpp"

#include <algorithm>
#include <string>

#include "core/error.hpp"
#include "store/run_file.hpp"
#include "store/run_layout.hpp"

namespace kinetune::store {
namespace {

std::uint64_t format_version(const H5File& file, const std::filesystem::path& path) {
  try {
    return file.attribute<std::uint64_t>("/", "format_version");
  } catch (const core::Error&) {
    throw core::Error({path.string(), 0}, "is no run file", "give a file that kinetune fit has written");
  }
}

}  // namespace

RunReader::RunReader(const std::filesystem::path& path) : file_(path, Access::read) {
  const std::uint64_t version = format_version(file_, path);
  if (version != run_format_version) {
    throw core::Error({path.string(), 0},
                      "has format version " + std::to_string(version) + ", this kinetune knows version " +
                          std::to_string(run_format_version),
                      "use the kinetune that wrote it");
  }
}

RunHeader RunReader::header() const {
  const auto text = [this](const char* name) { return file_.attribute<std::string>("/", name); };
  return {.kinetune_version = text("kinetune_version"),
          .command_line = text("command_line"),
          .study = text("study"),
          .seed = file_.attribute<std::uint64_t>("/", "seed"),
          .inputs_checksum = text("inputs_checksum"),
          .start_time = text("start_time"),
          .end_time = text("end_time")};
}

std::uint64_t RunReader::n_x() const { return file_.shape("/problem/parameter_ids").at(0); }

std::vector<ParameterRow> RunReader::parameters() const { return parameter_table().read(file_); }
std::vector<StartRow> RunReader::starts() const { return start_table(n_x()).read(file_); }
std::vector<ResultRow> RunReader::results() const { return result_table(n_x()).read(file_); }
std::vector<RankRow> RunReader::ranks() const { return rank_table().read(file_); }
std::vector<FitRow> RunReader::fit() const { return fit_table().read(file_); }
std::vector<CurveRow> RunReader::curves() const { return curve_table().read(file_); }

std::vector<TraceRow> RunReader::trace(std::uint64_t start_id) const {
  const std::vector<TraceIndexRow> index = trace_index_table().read(file_);
  const auto entry = std::ranges::find(index, start_id, &TraceIndexRow::start_id);
  if (entry == index.end()) return {};
  return trace_table(n_x()).read(file_, Rows{entry->offset, entry->length});
}

}  // namespace kinetune::store
