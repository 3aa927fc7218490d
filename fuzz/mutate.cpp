#include "fuzz/mutate.h"

#include <algorithm>
#include <array>

namespace nibble::fuzz {

std::span<const uint64_t> borders() {
  static constexpr std::array<uint64_t, 14> kBorders = {0,          1,          2,
                                                        0xFFFF,     0x7FFFFFFF, 0x80000000,
                                                        0xFFFFFFFF, 1ull << 32, (1ull << 32) + 1,
                                                        1ull << 62, ~0ull >> 1, 1ull << 63,
                                                        ~0ull - 1,  ~0ull};
  return kBorders;
}

size_t pick(Random& random, size_t size) { return size == 0 ? 0 : size_t(random.below(size)); }

void mutate_bytes(std::string& file, Random& random) {
  constexpr size_t kLongest = 64;
  const size_t at = pick(random, file.size());
  const size_t length = std::min(pick(random, kLongest), file.size() - at);
  const std::string stretch = file.substr(at, length);
  switch (random.below(5)) {
    case 0:
      if (!file.empty()) file[at] = char(file[at] ^ (1 << random.below(8)));
      break;
    case 1:
      file.resize(at);
      break;
    case 2:
      file.insert(pick(random, file.size()), stretch);
      break;
    case 3:
      file.erase(at, length);
      break;
    default:
      file.insert(at, std::string(length, char(random.below(256))));
  }
}

}  // namespace nibble::fuzz
