#pragma once

#include <string>
#include <vector>

#include "petab/problem.hpp"

namespace kinetune::estimate {

/// What conditions change at one time.
struct Stage {
  double start;  ///< model time; -inf: of a pre-equilibration
  std::vector<const petab::Override*> changes;
};

/// A simulation as the tables tell it: conditions one after the other, and the measurements. What version 1
/// calls a condition, or two with a pre-equilibration, and version 2 an experiment.
struct Course {
  std::string id;                   ///< of the simulation condition or the experiment, as Measurement has it
  std::string preequilibration_id;  ///< of version 1's condition
  std::vector<Stage> stages;        ///< by their starts; the last begins at a finite time
  std::vector<int> rows;            ///< of the measurement table
};

/// The courses that measurements belong to, in the order in which the measurement table names them.
/// @throws core::Error for a measurement before its experiment begins
std::vector<Course> courses_of(const petab::Problem&);

/// The stage that a measurement belongs to: at the start of a stage, to that one.
std::size_t stage_at(const Course&, double time);

}  // namespace kinetune::estimate
