#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "core/file.hpp"
#include "petab/check.hpp"
#include "petab/read_tables.hpp"
#include "petab/row.hpp"

namespace kinetune::petab {
namespace {

using namespace std::string_view_literals;

enum class PlotType { line, bar, scatter };
enum class DataType { mean_and_sd, mean_and_sem, replicate, provided };
enum class Axis { linear, log, log10, order };

constexpr std::array plot_types{std::pair{"LinePlot"sv, PlotType::line},
                                std::pair{"BarPlot"sv, PlotType::bar},
                                std::pair{"ScatterPlot"sv, PlotType::scatter}};
constexpr std::array data_types{
    std::pair{"MeanAndSD"sv, DataType::mean_and_sd}, std::pair{"MeanAndSEM"sv, DataType::mean_and_sem},
    std::pair{"replicate"sv, DataType::replicate}, std::pair{"provided"sv, DataType::provided}};
constexpr std::array x_scales{std::pair{"lin"sv, Axis::linear}, std::pair{"log"sv, Axis::log},
                              std::pair{"log10"sv, Axis::log10}, std::pair{"order"sv, Axis::order}};
constexpr std::array y_scales{x_scales[0], x_scales[1], x_scales[2]};

/// What the rows of a table may refer to.
struct Known {
  std::set<std::string> x_values{"time", "condition", "conditionName"}, observables, datasets;
};

Known known_to(const Problem& problem, const std::string& model_id) {
  const auto is_for_it = [&](const auto& entry) {
    return entry.model_id.empty() || entry.model_id == model_id;
  };
  Known known;
  for (const ConditionTarget& target : problem.condition_targets)
    if (is_for_it(target)) known.x_values.insert(target.id);
  for (const Observable& observable : problem.observables)
    if (is_for_it(observable)) known.observables.insert(observable.id);
  for (const Measurement& measurement : problem.measurements)
    if (is_for_it(measurement)) known.datasets.insert(measurement.dataset_id);
  return known;
}

void check_row(const Row& row, const Known& known) {
  row.required_text("plotId");
  const auto type = row.choice<PlotType>("plotTypeSimulation", plot_types, PlotType::line);
  row.choice<DataType>("plotTypeData", data_types, DataType::mean_and_sd);
  row.optional_number("xOffset");
  row.optional_number("yOffset");
  if (row.choice<Axis>("xScale", x_scales, Axis::linear) == Axis::order && type != PlotType::line)
    row.report("xScale is 'order' for a plot that is no LinePlot", "lin, log or log10");
  row.choice<Axis>("yScale", y_scales, Axis::linear);
  if (const std::string x = row.text("xValues"); !x.empty() && !known.x_values.contains(x))
    row.report(fmt::format("xValues '{}' is unknown", x),
               "time, condition, or a column of the condition table");
  if (const std::string y = row.text("yValues"); !y.empty() && !known.observables.contains(y))
    row.report(fmt::format("yValues '{}' is no observable", y), "an observableId");
  else if (y.empty() && known.observables.size() > 1)
    row.report("yValues is empty, and there are several observables", "an observableId");
  if (const std::string id = row.text("datasetId"); !id.empty() && !known.datasets.contains(id))
    row.report(fmt::format("datasetId '{}' is in no measurement", id),
               "a datasetId of the measurement table");
}

}  // namespace

void check_visualizations(const Problem& problem, Diagnostics& diagnostics) {
  for (const VisualizationFile& file : problem.visualizations) {
    diagnostics.attempt([&] {
      const Table table = parse_table(core::read_file(file.path), file.path.string());
      require_columns(table, {"plotId"});
      const Known known = known_to(problem, file.model_id);
      for (const Table::Row& cells : table.rows) check_row(Row(table, cells, diagnostics), known);
    });
  }
}

}  // namespace kinetune::petab
