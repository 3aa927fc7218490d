#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace nibble {

// Typed key → value pairs in file order, with the value types of GGUF
// (github.com/ggml-org/ggml, docs/gguf.md). A value keeps the exact type it had in the file, so
// that writing it back gives the same bytes; the typed getters widen integers where nothing is
// lost.
using MetadataArray =
    std::variant<std::vector<uint8_t>, std::vector<int8_t>, std::vector<uint16_t>,
                 std::vector<int16_t>, std::vector<uint32_t>, std::vector<int32_t>,
                 std::vector<float>, std::vector<bool>, std::vector<std::string>,
                 std::vector<uint64_t>, std::vector<int64_t>, std::vector<double>>;
using MetadataValue = std::variant<uint8_t, int8_t, uint16_t, int16_t, uint32_t, int32_t, float,
                                   bool, std::string, uint64_t, int64_t, double, MetadataArray>;

// "u32", "string", "array of f32".
std::string metadata_type_name(const MetadataValue& value);

class Metadata {
 public:
  using Entry = std::pair<std::string, MetadataValue>;

  bool contains(std::string_view key) const { return find(key) != nullptr; }
  const MetadataValue* find(std::string_view key) const;
  // Replaces the value in place, or appends.
  void set(std::string key, MetadataValue value);
  // As set(), without the search. REQUIRES: the key is not there yet.
  void append(std::string key, MetadataValue value);
  void erase(std::string_view key);
  const std::vector<Entry>& entries() const { return entries_; }

  // nullopt when the key is absent; Error(kBadInput) naming the key when the type does not fit.
  // get_int takes any integer type; get_number any integer or float.
  std::optional<int64_t> get_int(std::string_view key) const;
  std::optional<double> get_number(std::string_view key) const;
  std::optional<bool> get_bool(std::string_view key) const;
  std::optional<std::string_view> get_string(std::string_view key) const;
  // Pointer into this object; nullptr when absent.
  const std::vector<std::string>* get_strings(std::string_view key) const;
  const std::vector<float>* get_floats(std::string_view key) const;
  std::optional<std::vector<int64_t>> get_ints(std::string_view key) const;

 private:
  std::vector<Entry> entries_;  // lookups are few; order matters more
};

}  // namespace nibble
