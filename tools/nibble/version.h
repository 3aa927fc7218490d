#pragma once

#include <span>
#include <string>

namespace nibble::cli {

// `nibble --version [--json]`. Throws Error(kUsage) on any other word.
void print_version(std::span<const std::string> words);

}  // namespace nibble::cli
