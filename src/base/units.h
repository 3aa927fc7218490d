#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nibble {

std::string format_bytes(uint64_t bytes);     // "1.50 GiB", "640 B"
std::string format_duration(double seconds);  // "850 ms", "12 s", "3 min 20 s", "2 h 05 min"
std::string format_count(uint64_t count);     // "5.77 M", "1.10 B"

// "6GiB", "6GB", "6g", "1500M", "42": bytes. GiB and a bare g are 2^30, GB is 10^9.
// Throws Error(kUsage) on anything else.
uint64_t parse_bytes(std::string_view text);

}  // namespace nibble
