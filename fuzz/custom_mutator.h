#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/random.h"

// libFuzzer's own mutations.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace nibble::fuzz {

// The body of a custom mutator: `mutate` three times out of four, libFuzzer's mutations else. The
// seed file stands in where there is nothing to mutate yet.
inline size_t custom_mutator(uint8_t* data, size_t size, size_t max_size, unsigned seed,
                             std::string (*seed_file)(),
                             std::string (*mutate)(std::string_view, Random&)) {
  Random random(seed);
  if (size > 1 && random.below(4) == 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const std::string result = size > 1 ? mutate(file, random) : seed_file();
  const size_t length = std::min(result.size(), max_size);
  std::memcpy(data, result.data(), length);
  return length;
}

}  // namespace nibble::fuzz
