#pragma once

#include <span>
#include <string_view>

namespace nibble {

struct IsaKernels;  // the table of one instruction set's functions, kernels/isa_kernels.h

struct Isa {
  std::string_view name;  // "avx512vnni", "avx2", "scalar"
  bool (*runs_here)();    // what this CPU and operating system support
  const IsaKernels* kernels;
};

// Those compiled in, best first; tests iterate it.
std::span<const Isa> all_isas();

// Chosen once: the best that runs here, or the one named by NIBBLE_ISA.
// Throws Error(kUsage) when NIBBLE_ISA names one that is unknown or that this CPU lacks.
const Isa& active_isa();

// For tests: makes `isa` the active one. REQUIRES: isa.runs_here().
void set_active_isa(const Isa& isa);

}  // namespace nibble
