#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "base/error.h"
#include "base/view.h"

namespace nibble {

// Reads little-endian values from bytes nobody vouches for. There is no way to read that is not
// through take(), and take() never goes past the end.
class Cursor {
 public:
  // `end` says in errors what stands behind the last byte: "the file ends".
  Cursor(Bytes bytes, std::string_view end) : bytes_(bytes), end_(end) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }

  // The next n bytes. Throws Error(kBadInput) with the position when there are fewer.
  Bytes take(uint64_t n) {
    if (n > remaining()) {
      throw fail("expected {} more bytes, but {} after {}", n, end_, remaining());
    }
    const Bytes taken = bytes_.subspan(position_, n);
    position_ += n;
    return taken;
  }

  template <typename T>
  T read() {
    static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  // A count of entries that take at least `entry_bytes` each: more than fit into what is left, or
  // more than `most`, is refused here, before anybody allocates for them.
  uint64_t read_count(std::string_view what, uint64_t entry_bytes, uint64_t most) {
    const uint64_t start = position_, count = read<uint64_t>();
    if (count > most || count > remaining() / entry_bytes) {
      position_ = start;
      throw fail("expected at most {} {} (limit {}, {} bytes left), got {}",
                 std::min(most, (remaining() - sizeof count) / entry_bytes), what, most,
                 remaining() - sizeof count, count);
    }
    return count;
  }

  // bad_input at the current position.
  template <typename... Args>
  Error fail(fmt::format_string<Args...> format, Args&&... args) const {
    return fail_at(position_, format, std::forward<Args>(args)...);
  }
  template <typename... Args>
  static Error fail_at(uint64_t position, fmt::format_string<Args...> format, Args&&... args) {
    Error error = bad_input(format, std::forward<Args>(args)...);
    error.at(fmt::format("byte {}", position));
    return error;
  }

 private:
  Bytes bytes_;
  std::string_view end_;
  uint64_t position_ = 0;
};

}  // namespace nibble
