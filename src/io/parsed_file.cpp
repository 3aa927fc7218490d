#include "io/parsed_file.h"

#include <algorithm>
#include <numeric>

#include "base/checked.h"
#include "base/error.h"
#include "io/limits.h"

namespace nibble {

bool has_control_characters(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    // U+0080 … U+009F in UTF-8; terminals obey them as they do escape sequences.
    const bool c1_start = byte == 0xC2 && i + 1 < text.size();
    if (c1_start && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

std::string printable(std::string_view text) {
  constexpr size_t kShown = 80;
  std::string result = "\"";
  for (const char c : text.substr(0, kShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7F) {
      result += fmt::format("\\x{:02x}", byte);
    } else {
      result += c;
    }
  }
  return result + (text.size() > kShown ? "…\"" : "\"");
}

void check_name(std::string_view name, uint64_t max_bytes, std::string_view what) {
  if (name.empty() || name.size() > max_bytes) {
    throw bad_input("expected a {} of 1 to {} bytes, got {} bytes", what, max_bytes, name.size());
  }
  if (has_control_characters(name)) {
    throw bad_input("expected a {} without control characters, got {}", what, printable(name));
  }
}

uint64_t checked_bytes(const TensorInfo& tensor) {
  // A dimension of zero must not hide others that would wrap, so the product goes on without it.
  uint64_t product = 1;
  bool empty = false;
  for (const uint64_t dimension : tensor.shape) {
    empty |= dimension == 0;
    if (!checked_mul(product, std::max<uint64_t>(dimension, 1), &product) ||
        product > limits::kElements) {
      throw bad_input("expected at most 2^62 elements, got dimensions {}",
                      fmt::join(tensor.shape, " x "));
    }
  }
  const uint64_t elements = empty ? 0 : product;
  const Format& format = *tensor.format;
  if (elements % format.block_size != 0) {
    throw bad_input("expected a multiple of {} elements for {}, got {}", format.block_size,
                    format.name, elements);
  }
  uint64_t bytes = 0;
  if (!checked_mul(elements / format.block_size, format.block_bytes, &bytes)) {
    throw bad_input("expected at most 2^64 bytes, got {} elements of {}", elements, format.name);
  }
  return bytes;
}

std::optional<size_t> find_duplicate(std::span<const std::string_view> names) {
  std::vector<uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return names[a] != names[b] ? names[a] < names[b] : a < b;
  });
  for (size_t i = 1; i < order.size(); ++i) {
    if (names[order[i]] == names[order[i - 1]]) return order[i];
  }
  return std::nullopt;
}

std::optional<size_t> find_duplicate(std::span<const TensorInfo> tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const auto& tensor : tensors) names.push_back(tensor.name);
  return find_duplicate(names);
}

std::vector<uint32_t> order_by_offset(const ParsedFile& file) {
  const auto end = [&](uint32_t i) { return file.offsets[i] + file.tensors[i].bytes(); };
  std::vector<uint32_t> order(file.tensors.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return file.offsets[a] != file.offsets[b] ? file.offsets[a] < file.offsets[b] : end(a) < end(b);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    const uint32_t before = order[i - 1], here = order[i];
    if (file.offsets[here] < end(before)) {
      throw bad_input("its bytes [{}, {}) overlap those of tensor {}, [{}, {})", file.offsets[here],
                      end(here), printable(file.tensors[before].name), file.offsets[before],
                      end(before))
          .at(fmt::format("tensor {}", printable(file.tensors[here].name)));
    }
  }
  return order;
}

}  // namespace nibble
