#pragma once

#include <string>

#include "io/cursor.h"
#include "io/metadata.h"

// Metadata values as GGUF stores them: u32 type, then
//
//     u8 … f64    the value, little-endian        types 0 … 6, 10 … 12
//     bool        one byte, 0 or 1                type 7
//     string      u64 length, bytes, no NUL       type 8
//     array       u32 type, u64 count, values     type 9; nesting is legal there, refused here

namespace nibble {

// `position()` of the cursor is behind the value afterwards.
MetadataValue read_gguf_value(Cursor& in);
std::string read_gguf_string(Cursor& in, uint64_t max_bytes);

void append_gguf_value(std::string& out, const MetadataValue& value);
void append_gguf_string(std::string& out, std::string_view text);

template <typename T>
void append_gguf_number(std::string& out, T value) {
  static_assert(std::is_arithmetic_v<T> && std::endian::native == std::endian::little);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

}  // namespace nibble
