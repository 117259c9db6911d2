#include "store/run_file.hpp"

#include <cassert>
#include <unordered_set>
#include <utility>

#include "store/run_layout.hpp"
#include "store/run_reader.hpp"

namespace kinetune::store {
namespace {

void write_header(Batch& batch, const RunHeader& header) {
  const std::pair<const char*, Attribute> attributes[] = {{"format_version", run_format_version},
                                                          {"kinetune_version", header.kinetune_version},
                                                          {"command_line", header.command_line},
                                                          {"study", header.study},
                                                          {"seed", header.seed},
                                                          {"inputs_checksum", header.inputs_checksum},
                                                          {"start_time", header.start_time},
                                                          {"end_time", header.end_time}};
  for (const auto& [name, value] : attributes) batch.set_attribute("/", name, value);
}

void describe_groups(Batch& batch) {
  const std::pair<const char*, const char*> texts[] = {
      {"/problem", "the estimated parameters, one row each"},
      {"/starts", "where the local optimisations began, one row a start"},
      {"/results", "how the local optimisations ended, one row a finished start"},
      {"/trace", "iterates: rows offset..offset+length of the long columns belong to start_id"},
      {"/ranks", "what each MPI rank did, one row a rank and session"},
      {"/fit", "the best start beside the measurements, one row each; empty until the study ended"},
      {"/fit/curves", "the best start's simulation on a fine grid of times"}};
  for (const auto& [group, text] : texts) batch.set_attribute(group, "description", text);
}

/// All columns without a row, so that a script finds them from the beginning.
void make_columns(Batch& batch, std::uint64_t n_x) {
  start_table(n_x).append(batch, {});
  result_table(n_x).append(batch, {});
  trace_index_table().append(batch, {});
  trace_table(n_x).append(batch, {});
  rank_table().append(batch, {});
  fit_table().append(batch, {});
  curve_table().append(batch, {});
}

std::unordered_set<std::uint64_t> as_set(const std::vector<std::uint64_t>& ids) {
  return {ids.begin(), ids.end()};
}

}  // namespace

struct RunFile::Impl {
  DurableFile file;
  RunHeader header;
  std::uint64_t n_x = 0;
  std::uint64_t session = 0;
  std::uint64_t n_trace_rows = 0;  // with what is pending
  std::unordered_set<std::uint64_t> starts = {}, results = {};
};

RunFile::RunFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunFile::RunFile(RunFile&&) noexcept = default;
RunFile::~RunFile() = default;

RunFile RunFile::create(const std::filesystem::path& path, Overwrite overwrite, const RunHeader& header,
                        std::span<const ParameterRow> parameters) {
  assert(!parameters.empty());
  Batch first;
  write_header(first, header);
  parameter_table().append(first, parameters);
  make_columns(first, parameters.size());
  describe_groups(first);
  return RunFile(std::make_unique<Impl>(
      Impl{.file = DurableFile::create(path, overwrite, first), .header = header, .n_x = parameters.size()}));
}

RunFile RunFile::resume(const std::filesystem::path& path) {
  const RunReader check(path);  // a file that is no run file is not even locked
  DurableFile file = DurableFile::open(path);
  const RunReader reader(path);
  const std::vector<std::uint64_t> sessions = reader.file().read<std::uint64_t>("/ranks/session");
  return RunFile(std::make_unique<Impl>(
      Impl{.file = std::move(file),
           .header = reader.header(),
           .n_x = reader.file().shape("/problem/parameter_ids").at(0),
           .session = sessions.empty() ? 0 : sessions.back() + 1,
           .n_trace_rows = reader.file().shape("/trace/fval").at(0),
           .starts = as_set(reader.file().read<std::uint64_t>("/starts/id")),
           .results = as_set(reader.file().read<std::uint64_t>("/results/start_id"))}));
}

const RunHeader& RunFile::header() const { return impl_->header; }

void RunFile::set_header(const RunHeader& header) {
  impl_->header = header;
  write_header(impl_->file.pending(), header);
}

bool RunFile::has_start(std::uint64_t id) const { return impl_->starts.contains(id); }
bool RunFile::has_result(std::uint64_t id) const { return impl_->results.contains(id); }

void RunFile::add_start(const StartRow& start) {
  [[maybe_unused]] const bool added = impl_->starts.insert(start.id).second;
  assert(added && start.x0.size() == impl_->n_x);
  start_table(impl_->n_x).append(impl_->file.pending(), {&start, 1});
}

void RunFile::add_result(const ResultRow& result, std::span<const TraceRow> trace) {
  [[maybe_unused]] const bool added = impl_->results.insert(result.start_id).second;
  assert(added && result.x.size() == impl_->n_x);
  Batch& batch = impl_->file.pending();
  result_table(impl_->n_x).append(batch, {&result, 1});
  if (trace.empty()) return;
  const TraceIndexRow index{result.start_id, impl_->n_trace_rows, trace.size()};
  trace_index_table().append(batch, {&index, 1});
  trace_table(impl_->n_x).append(batch, trace);
  impl_->n_trace_rows += trace.size();
}

void RunFile::add_ranks(std::vector<RankRow> ranks) {
  for (RankRow& rank : ranks) rank.session = impl_->session;
  rank_table().append(impl_->file.pending(), ranks);
}

void RunFile::set_fit(std::span<const FitRow> fit, std::span<const CurveRow> curves) {
  fit_table().replace(impl_->file.pending(), fit);
  curve_table().replace(impl_->file.pending(), curves);
}

std::expected<void, CommitFailure> RunFile::commit() { return impl_->file.commit(); }

}  // namespace kinetune::store
