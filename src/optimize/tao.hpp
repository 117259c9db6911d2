#pragma once

#include <string>

#include "optimize/course.hpp"

namespace kinetune::optimize {

/// How TAO left off; what it found is in the course.
struct TaoEnd {
  Termination termination;  ///< no_descent or solver_error, if nothing stopped the course
  std::string detail;       ///< PETSc's message with solver_error
};

/// Drives a started course with the TAO method of its options until the course stops or TAO gives up.
TaoEnd run_tao(Course&);

}  // namespace kinetune::optimize
