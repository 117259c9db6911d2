#pragma once

#include "generate/data.hpp"

namespace kinetune::generate {

/// What new vectors are wanted at.
struct Condition {
  double label = 0;  ///< 0: as good as the best seen; 1: as bad as the worst
  Outcome outcome = Outcome::evaluated;
};

}  // namespace kinetune::generate
