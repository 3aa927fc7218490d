#include "io/gguf_values.h"

#include <type_traits>

#include "io/limits.h"

namespace nibble {
namespace {

constexpr uint32_t kArrayType = 9, kTypes = 13;

// The alternatives of MetadataValue and MetadataArray stand in the order of GGUF's types, arrays
// (9) apart.
uint32_t type_of(size_t alternative) {
  return uint32_t(alternative < kArrayType ? alternative : alternative + 1);
}

bool read_bool(Cursor& in) {
  const uint64_t start = in.position();
  const auto byte = in.read<uint8_t>();
  if (byte > 1) throw in.fail_at(start, "expected a bool of 0 or 1, got {}", byte);
  return byte == 1;
}

template <typename T>
T read_one(Cursor& in) {
  if constexpr (std::is_same_v<T, std::string>) {
    return read_gguf_string(in, limits::kStringBytes);
  } else if constexpr (std::is_same_v<T, bool>) {
    return read_bool(in);
  } else {
    return in.read<T>();
  }
}

template <typename T>
std::vector<T> read_many(Cursor& in) {
  constexpr bool kVaries = std::is_same_v<T, std::string>;  // the least is the length alone
  constexpr uint64_t kSize = kVaries ? sizeof(uint64_t) : sizeof(T);
  const uint64_t count = in.read_count("array elements", kSize, limits::kHeaderBytes);
  std::vector<T> values;
  if constexpr (kVaries || std::is_same_v<T, bool>) {
    values.reserve(count);
    for (uint64_t i = 0; i < count; ++i) values.push_back(read_one<T>(in));
  } else {
    values.resize(count);
    const Bytes bytes = in.take(count * kSize);
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  }
  return values;
}

template <typename T>
struct Type {
  using type = T;
};

// Calls visit(Type<T>{}) for the C++ type of a scalar GGUF type.
template <typename Visit>
auto with_type(const Cursor& in, uint32_t type, const Visit& visit) {
  switch (type) {
    case 0:
      return visit(Type<uint8_t>{});
    case 1:
      return visit(Type<int8_t>{});
    case 2:
      return visit(Type<uint16_t>{});
    case 3:
      return visit(Type<int16_t>{});
    case 4:
      return visit(Type<uint32_t>{});
    case 5:
      return visit(Type<int32_t>{});
    case 6:
      return visit(Type<float>{});
    case 7:
      return visit(Type<bool>{});
    case 8:
      return visit(Type<std::string>{});
    case 10:
      return visit(Type<uint64_t>{});
    case 11:
      return visit(Type<int64_t>{});
    case 12:
      return visit(Type<double>{});
    default:
      throw in.fail_at(in.position() - 4, "expected a value type below {}, got {}", kTypes, type);
  }
}

MetadataArray read_array(Cursor& in) {
  const auto type = in.read<uint32_t>();
  if (type == kArrayType) throw in.fail_at(in.position() - 4, "arrays of arrays are not read");
  return with_type(in, type, [&](auto tag) {
    return MetadataArray(read_many<typename decltype(tag)::type>(in));
  });
}

template <typename T>
void append_one(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    append_gguf_string(out, value);
  } else {
    static_assert(sizeof(bool) == 1);
    append_gguf_number(out, value);
  }
}

void append_array(std::string& out, const MetadataArray& array) {
  append_gguf_number(out, type_of(array.index()));
  std::visit(
      [&](const auto& values) {
        using T = typename std::decay_t<decltype(values)>::value_type;
        append_gguf_number(out, uint64_t(values.size()));
        for (size_t i = 0; i < values.size(); ++i) append_one<T>(out, values[i]);
      },
      array);
}

}  // namespace

std::string read_gguf_string(Cursor& in, uint64_t max_bytes) {
  const Bytes bytes = in.take(in.read_count("bytes of text", 1, max_bytes));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

MetadataValue read_gguf_value(Cursor& in) {
  const auto type = in.read<uint32_t>();
  if (type == kArrayType) return read_array(in);
  return with_type(in, type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    return MetadataValue(std::in_place_type<T>, read_one<T>(in));
  });
}

void append_gguf_string(std::string& out, std::string_view text) {
  append_gguf_number(out, uint64_t(text.size()));
  out.append(text);
}

void append_gguf_value(std::string& out, const MetadataValue& value) {
  if (const auto* array = std::get_if<MetadataArray>(&value)) {
    append_gguf_number(out, kArrayType);
    append_array(out, *array);
    return;
  }
  append_gguf_number(out, type_of(value.index()));
  std::visit(
      [&](const auto& one) {
        using T = std::decay_t<decltype(one)>;
        if constexpr (!std::is_same_v<T, MetadataArray>) append_one<T>(out, one);
      },
      value);
}

}  // namespace nibble
