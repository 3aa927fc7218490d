#pragma once

#include <cstdint>

namespace nibble {

// Memory of this process in bytes, from /proc/self/status; 0 where that does not exist.
uint64_t peak_resident_bytes();     // VmHWM: most ever resident, mapped files included
uint64_t private_resident_bytes();  // RssAnon: resident now, mapped files left out

}  // namespace nibble
