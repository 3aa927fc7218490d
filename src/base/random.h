#pragma once

#include <cstdint>

namespace nibble {

// xoshiro256++ (Blackman and Vigna, 2019), seeded through splitmix64. The same seed gives the same
// numbers on every machine, which std::mt19937 with the standard distributions does not promise.
class Random {
 public:
  explicit Random(uint64_t seed);
  uint64_t next();
  double uniform();                // [0, 1), 53 bits
  uint64_t below(uint64_t bound);  // [0, bound), unbiased; REQUIRES bound > 0
  double normal();                 // mean 0, standard deviation 1 (polar method)

 private:
  uint64_t state_[4];
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace nibble
