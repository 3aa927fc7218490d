#pragma once

#include <fmt/format.h>

#include <string_view>

// What nibble says beside its results, on standard error.

namespace nibble::log {

enum class Level { kQuiet, kNormal, kVerbose };
void set_level(Level level);
Level level();

void warn_text(std::string_view text);   // "warning: ..."; printed unless quiet
void info_text(std::string_view text);   // printed unless quiet
void debug_text(std::string_view text);  // printed when verbose

template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  warn_text(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  info_text(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  debug_text(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace nibble::log
