#include "io/metadata.h"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

#include "base/error.h"

namespace nibble {
namespace {

// In the order of the alternatives of MetadataValue and MetadataArray.
constexpr std::array<std::string_view, 12> kTypeNames = {
    "u8", "i8", "u16", "i16", "u32", "i32", "f32", "bool", "string", "u64", "i64", "f64"};

template <typename T>
constexpr bool is_integer = std::is_integral_v<T> && !std::is_same_v<T, bool>;

Error wrong_type(std::string_view key, std::string_view expected, const MetadataValue& value) {
  Error error = bad_input("expected {}, got {}", expected, metadata_type_name(value));
  error.at(fmt::format("key \"{}\"", key));
  return error;
}

template <typename T>
int64_t to_int64(std::string_view key, T value) {
  if constexpr (std::is_same_v<T, uint64_t>) {
    if (value > uint64_t(std::numeric_limits<int64_t>::max())) {
      throw bad_input("expected an integer below 2^63, got {}", value)
          .at(fmt::format("key \"{}\"", key));
    }
  }
  return int64_t(value);
}

// The array of type T under the key; nullptr when the key is absent.
template <typename T>
const T* find_array_of(const Metadata& metadata, std::string_view key, std::string_view expected) {
  const MetadataValue* value = metadata.find(key);
  if (value == nullptr) return nullptr;
  const auto* array = std::get_if<MetadataArray>(value);
  const T* result = array == nullptr ? nullptr : std::get_if<T>(array);
  if (result == nullptr) throw wrong_type(key, expected, *value);
  return result;
}

}  // namespace

std::string metadata_type_name(const MetadataValue& value) {
  if (const auto* array = std::get_if<MetadataArray>(&value)) {
    return fmt::format("array of {}", kTypeNames[array->index()]);
  }
  return std::string(kTypeNames[value.index()]);
}

const MetadataValue* Metadata::find(std::string_view key) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(),
                               [key](const Entry& entry) { return entry.first == key; });
  return it == entries_.end() ? nullptr : &it->second;
}

void Metadata::set(std::string key, MetadataValue value) {
  if (const MetadataValue* old = find(key)) {
    const_cast<MetadataValue&>(*old) = std::move(value);
  } else {
    append(std::move(key), std::move(value));
  }
}

void Metadata::append(std::string key, MetadataValue value) {
  entries_.emplace_back(std::move(key), std::move(value));
}

void Metadata::erase(std::string_view key) {
  std::erase_if(entries_, [key](const Entry& entry) { return entry.first == key; });
}

std::optional<int64_t> Metadata::get_int(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& v) -> int64_t {
        using T = std::decay_t<decltype(v)>;
        if constexpr (is_integer<T>) return to_int64(key, v);
        throw wrong_type(key, "an integer", *value);
      },
      *value);
}

std::optional<double> Metadata::get_number(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  return std::visit(
      [&](const auto& v) -> double {
        using T = std::decay_t<decltype(v)>;
        if constexpr (is_integer<T> || std::is_floating_point_v<T>) return double(v);
        throw wrong_type(key, "a number", *value);
      },
      *value);
}

std::optional<bool> Metadata::get_bool(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* flag = std::get_if<bool>(value)) return *flag;
  throw wrong_type(key, "bool", *value);
}

std::optional<std::string_view> Metadata::get_string(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* text = std::get_if<std::string>(value)) return *text;
  throw wrong_type(key, "a string", *value);
}

const std::vector<std::string>* Metadata::get_strings(std::string_view key) const {
  return find_array_of<std::vector<std::string>>(*this, key, "an array of strings");
}

const std::vector<float>* Metadata::get_floats(std::string_view key) const {
  return find_array_of<std::vector<float>>(*this, key, "an array of f32");
}

std::optional<std::vector<int64_t>> Metadata::get_ints(std::string_view key) const {
  const MetadataValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* array = std::get_if<MetadataArray>(value);
  if (array == nullptr) throw wrong_type(key, "an array of integers", *value);
  return std::visit(
      [&](const auto& items) {
        using T = typename std::decay_t<decltype(items)>::value_type;
        std::vector<int64_t> result;
        if constexpr (is_integer<T>) {
          result.reserve(items.size());
          for (const T item : items) result.push_back(to_int64(key, item));
        } else {
          throw wrong_type(key, "an array of integers", *value);
        }
        return result;
      },
      *array);
}

}  // namespace nibble
