#include "text/prefix_index.h"

#include <algorithm>

namespace nibble {

PrefixIndex::PrefixIndex(std::vector<Entry> entries) : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const Entry& e) { return e.text.empty(); });
  std::stable_sort(entries_.begin(), entries_.end(),
                   [](const Entry& a, const Entry& b) { return a.text < b.text; });
  const auto same = [](const Entry& a, const Entry& b) { return a.text == b.text; };
  entries_.erase(std::unique(entries_.begin(), entries_.end(), same), entries_.end());
  for (const Entry& entry : entries_) ++first_[size_t(uint8_t(entry.text[0])) + 1];
  for (size_t byte = 0; byte < 256; ++byte) first_[byte + 1] += first_[byte];
}

void PrefixIndex::for_each_prefix(std::string_view text,
                                  FunctionRef<void(size_t, TokenId)> found) const {
  if (text.empty()) return;
  // [begin, end) are the entries that share the first `depth` bytes with the text.
  auto begin = entries_.begin() + first_[uint8_t(text[0])];
  auto end = entries_.begin() + first_[size_t(uint8_t(text[0])) + 1];
  for (size_t depth = 1; begin != end; ++depth) {
    if (begin->text.size() == depth) {
      found(depth, begin->id);
      ++begin;
    }
    if (depth == text.size()) return;
    const uint8_t byte = uint8_t(text[depth]);
    const auto at_depth = [depth](const Entry& e) { return uint8_t(e.text[depth]); };
    begin = std::partition_point(begin, end, [&](const Entry& e) { return at_depth(e) < byte; });
    end = std::partition_point(begin, end, [&](const Entry& e) { return at_depth(e) == byte; });
  }
}

}  // namespace nibble
