#include "kernels/isa.h"

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace nibble {

namespace scalar {
extern const IsaKernels kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const IsaKernels kernels;
}
namespace avx512vnni {
extern const IsaKernels kernels;
}
#endif

namespace {

bool always() { return true; }

#if defined(__x86_64__)

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf) {
  Registers r;
  __get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);  // zeros for a leaf the CPU lacks
  return r;
}

// The register states the operating system saves, bits of XCR0.
uint64_t saved_states() {
  if ((cpuid(1).c & bit_OSXSAVE) == 0) return 0;
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

constexpr bool has_all(uint64_t bits, uint64_t wanted) { return (bits & wanted) == wanted; }

constexpr uint64_t kYmmState = 0x06;  // SSE, AVX
constexpr uint64_t kZmmState = 0xE6;  // and the mask registers and both parts of ZMM

bool has_avx2() {
  return has_all(cpuid(1).c, bit_FMA | bit_F16C | bit_AVX) && has_all(cpuid(7).b, bit_AVX2) &&
         has_all(saved_states(), kYmmState);
}

bool has_avx512vnni() {
  constexpr unsigned kWanted = bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL;
  return has_avx2() && has_all(cpuid(7).b, kWanted) && has_all(cpuid(7).c, bit_AVX512VNNI) &&
         has_all(saved_states(), kZmmState);
}

#endif

const Isa kIsas[] = {
#if defined(__x86_64__)
    {"avx512vnni", has_avx512vnni, &avx512vnni::kernels},
    {"avx2", has_avx2, &avx2::kernels},
#endif
    {"scalar", always, &scalar::kernels},
};

const Isa& best_isa() {
  const Isa* isa = std::begin(kIsas);
  while (!isa->runs_here()) ++isa;  // the last one, plain C++, runs everywhere
  return *isa;
}

std::string names_that_run_here() {
  std::string names;
  for (const Isa& isa : kIsas) {
    if (isa.runs_here()) names += (names.empty() ? "" : ", ") + std::string(isa.name);
  }
  return names;
}

const Isa& chosen_isa() {
  const char* name = std::getenv("NIBBLE_ISA");
  if (name == nullptr || *name == '\0') return best_isa();
  for (const Isa& isa : kIsas) {
    if (isa.name != name) continue;
    if (isa.runs_here()) return isa;
    throw usage_error("NIBBLE_ISA={} needs instructions this machine lacks", name)
        .hint(fmt::format("here run: {}", names_that_run_here()));
  }
  throw usage_error("NIBBLE_ISA={} is no instruction set nibble knows", name)
      .hint(fmt::format("here run: {}", names_that_run_here()));
}

std::atomic<const Isa*> active{nullptr};

}  // namespace

std::span<const Isa> all_isas() { return kIsas; }

const Isa& active_isa() {
  const Isa* isa = active.load(std::memory_order_acquire);
  if (isa == nullptr) active.store(isa = &chosen_isa(), std::memory_order_release);
  return *isa;
}

void set_active_isa(const Isa& isa) {
  NIBBLE_CHECK(isa.runs_here());
  active = &isa;
}

}  // namespace nibble
