#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/function_ref.h"
#include "text/tokenizer.h"

namespace nibble {

// A sorted list of strings that tells which of them a text begins with. Texts are not copied: they
// must outlive the index.
class PrefixIndex {
 public:
  struct Entry {
    std::string_view text;
    TokenId id;
  };
  // Empty strings are left out; of equal ones the first counts.
  explicit PrefixIndex(std::vector<Entry> entries);

  bool starts_any(uint8_t byte) const { return first_[byte] != first_[size_t(byte) + 1]; }
  // Calls found(length, id) for every entry `text` begins with, shortest first.
  void for_each_prefix(std::string_view text, FunctionRef<void(size_t, TokenId)> found) const;

 private:
  std::vector<Entry> entries_;
  std::array<uint32_t, 257> first_{};  // entries of first byte b: [first_[b], first_[b + 1])
};

}  // namespace nibble
