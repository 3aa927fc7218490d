#include "base/process.h"

#include <fstream>
#include <string>
#include <string_view>

namespace nibble {
namespace {

uint64_t status_field(std::string_view name) {
  std::ifstream file("/proc/self/status");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  }
  return 0;
}

}  // namespace

uint64_t peak_resident_bytes() { return status_field("VmHWM:"); }
uint64_t private_resident_bytes() { return status_field("RssAnon:"); }

}  // namespace nibble
