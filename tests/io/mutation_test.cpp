#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "fuzz/check_readers.h"
#include "fuzz/mutate_gguf.h"
#include "fuzz/mutate_safetensors.h"

// The mutators of fuzz/ without coverage feedback, the same on every run. NIBBLE_MUTATIONS says how
// many; the build with sanitizers runs many more than the default.

namespace nibble::fuzz {
namespace {

size_t mutations() {
  const char* count = std::getenv("NIBBLE_MUTATIONS");
  return count == nullptr ? 10'000 : std::strtoull(count, nullptr, 10);
}

// The bytes in a block of exactly their size, so that a sanitizer sees the first byte past the end.
bool check_exactly(bool (*check)(Bytes), const std::string& file) {
  const auto copy = std::make_unique<std::byte[]>(file.size());
  std::memcpy(copy.get(), file.data(), file.size());
  return check({copy.get(), file.size()});
}

// What was accepted is mutated further, so that errors add up behind the first checks.
void run_mutations(bool (*check)(Bytes), const std::string& seed,
                   std::string (*mutate)(std::string_view, Random&)) {
  ASSERT_TRUE(check_exactly(check, seed));
  constexpr size_t kPool = 16;
  Random random(20260101);
  std::vector<std::string> pool(kPool, seed);
  size_t accepted = 0;
  for (size_t i = 0; i < mutations(); ++i) {
    const std::string file = mutate(pool[random.below(kPool)], random);
    if (!check_exactly(check, file)) continue;
    ++accepted;
    const bool start_again = random.below(4) == 0 || file.size() > 4 * seed.size();
    pool[random.below(kPool)] = start_again ? seed : file;
  }
  EXPECT_GT(accepted, mutations() / 50) << "the mutator breaks everything at the first check";
  EXPECT_LT(accepted, mutations() / 2) << "the mutator breaks nothing";
  ::testing::Test::RecordProperty("accepted", std::to_string(accepted));
}

TEST(Mutation, NoGgufBreaksTheReader) { run_mutations(check_gguf, gguf_seed(), mutate_gguf); }

TEST(Mutation, NoSafetensorsFileBreaksTheReader) {
  run_mutations(check_safetensors, safetensors_seed(), mutate_safetensors);
}

}  // namespace
}  // namespace nibble::fuzz
