#include "estimate/course.hpp"

#include <limits>
#include <map>

#include <fmt/format.h>

namespace kinetune::estimate {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

void add_changes(Stage& stage, const petab::Problem& petab, const std::string& condition_id) {
  const petab::Condition* condition = petab.condition(condition_id);
  if (!condition) return;  // reported by petab::check_tables
  for (const petab::Override& change : condition->overrides) stage.changes.push_back(&change);
}

std::vector<Stage> stages_of_conditions(const petab::Problem& petab, const petab::Measurement& m) {
  std::vector<Stage> stages;
  if (!m.preequilibration_condition_id.empty()) {
    stages.push_back({-infinity, {}});
    add_changes(stages.back(), petab, m.preequilibration_condition_id);
  }
  stages.push_back({0.0, {}});
  add_changes(stages.back(), petab, m.simulation_condition_id);
  return stages;
}

std::vector<Stage> stages_of_experiment(const petab::Problem& petab, const std::string& id) {
  std::vector<Stage> stages;
  if (const petab::Experiment* experiment = petab.experiment(id)) {
    for (const petab::ExperimentPeriod& period : experiment->periods) {
      stages.push_back({period.time, {}});
      for (const std::string& condition : period.condition_ids) add_changes(stages.back(), petab, condition);
    }
  }
  if (stages.empty() || stages.back().start == -infinity) stages.push_back({0.0, {}});
  return stages;
}

void check_time(const Course& course, const petab::Measurement& m) {
  const Stage& first = course.stages[course.stages.front().start == -infinity ? 1 : 0];
  if (m.time >= first.start) return;
  throw core::Error(
      m.where, fmt::format("time {} is before experiment {} begins, at {}", m.time, course.id, first.start),
      "measure later, or let the experiment begin earlier");
}

/// What nothing is measured in or after needs no simulation.
void drop_what_is_not_measured(Course& course, const petab::Problem& petab) {
  std::size_t last = 0;
  for (const int row : course.rows) last = std::max(last, stage_at(course, petab.measurements[row].time));
  course.stages.resize(last + 1);
}

}  // namespace

std::vector<Course> courses_of(const petab::Problem& petab) {
  std::vector<Course> courses;
  std::map<std::pair<std::string, std::string>, std::size_t> known;
  for (std::size_t i = 0; i < petab.measurements.size(); ++i) {
    const petab::Measurement& m = petab.measurements[i];
    const bool is_v1 = petab.format_version == 1;
    const std::pair key{is_v1 ? m.simulation_condition_id : m.experiment_id, m.preequilibration_condition_id};
    const auto [entry, is_new] = known.emplace(key, courses.size());
    if (is_new) {
      courses.push_back({m.simulation_id(),
                         key.second,
                         is_v1 ? stages_of_conditions(petab, m) : stages_of_experiment(petab, key.first),
                         {}});
    }
    Course& course = courses[entry->second];
    check_time(course, m);
    course.rows.push_back(static_cast<int>(i));
  }
  for (Course& course : courses) drop_what_is_not_measured(course, petab);
  return courses;
}

std::size_t stage_at(const Course& course, double time) {
  std::size_t stage = course.stages.size() - 1;
  while (stage > 0 && course.stages[stage].start > time) --stage;
  return stage;
}

}  // namespace kinetune::estimate
