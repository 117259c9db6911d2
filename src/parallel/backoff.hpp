#pragma once

#include <algorithm>
#include <chrono>

namespace kinetune::parallel {

/// How long to sleep between two looks at something that another process changes: short at first, up to 2 ms
/// later.
class Backoff {
 public:
  std::chrono::microseconds next() {
    const auto now = pause_;
    pause_ = std::min(pause_ * 9 / 8, std::chrono::microseconds{2000});
    return now;
  }
  void reset() { pause_ = first; }

 private:
  static constexpr std::chrono::microseconds first{100};
  std::chrono::microseconds pause_ = first;
};

}  // namespace kinetune::parallel
