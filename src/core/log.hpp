#pragma once

#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace kinetune::core {

enum class LogLevel { debug, info, warning, error };

/// Messages go to standard error; standard output belongs to results. Info and above are shown unless told
/// otherwise.
void set_log_level(LogLevel);
void log_text(LogLevel, std::string_view);

template <class... Args>
void log(LogLevel level, fmt::format_string<Args...> format, Args&&... args) {
  log_text(level, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace kinetune::core
