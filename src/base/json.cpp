#include "base/json.h"

#include <cmath>

#include "base/error.h"

namespace nibble {

JsonFile::JsonFile(std::string_view text, std::string name)
    : name_(std::move(name)), parser_(std::make_unique<simdjson::dom::parser>()) {
  constexpr size_t kMaxDepth = 64, kMaxBytes = size_t(1) << 30;
  if (text.size() > kMaxBytes) {
    throw bad_input("expected at most {} bytes of JSON, got {}", kMaxBytes, text.size()).at(name_);
  }
  if (text.empty()) throw bad_input("not valid JSON: nothing is there").at(name_);
  auto error = parser_->allocate(text.size(), kMaxDepth);
  if (!error) error = parser_->parse(text.data(), text.size()).get(root_);
  if (error) throw bad_input("not valid JSON: {}", simdjson::error_message(error)).at(name_);
}

JsonFile JsonFile::read(const fs::path& path) {
  const MappedFile file(path);
  const auto* text = reinterpret_cast<const char*>(file.bytes().data());
  return JsonFile(std::string_view(text, file.size()), path.string());
}

simdjson::dom::object JsonFile::object() const {
  simdjson::dom::object object;
  if (root_.get(object)) throw bad_input("expected a JSON object at the top").at(name_);
  return object;
}

std::optional<simdjson::dom::element> find_value(JsonObject o, std::string_view key) {
  simdjson::dom::element value;
  if (o.at_key(key).get(value) || value.is_null()) return std::nullopt;
  return value;
}

namespace {
template <typename T>
std::optional<T> find_typed(JsonObject o, std::string_view key, const char* type_name) {
  const auto value = find_value(o, key);
  if (!value) return std::nullopt;
  T result;
  if (value->get(result)) throw bad_input("\"{}\": expected {}", key, type_name);
  return result;
}
}  // namespace

std::optional<JsonObject> find_object(JsonObject o, std::string_view key) {
  return find_typed<JsonObject>(o, key, "an object");
}
std::optional<simdjson::dom::array> find_array(JsonObject o, std::string_view key) {
  return find_typed<simdjson::dom::array>(o, key, "an array");
}
std::optional<std::string_view> find_string(JsonObject o, std::string_view key) {
  return find_typed<std::string_view>(o, key, "a string");
}
std::optional<bool> find_bool(JsonObject o, std::string_view key) {
  return find_typed<bool>(o, key, "true or false");
}
std::optional<double> find_number(JsonObject o, std::string_view key) {
  return find_typed<double>(o, key, "a number");
}

std::optional<int64_t> find_int(JsonObject o, std::string_view key) {
  const auto value = find_value(o, key);
  if (!value) return std::nullopt;
  int64_t integer = 0;
  if (!value->get(integer)) return integer;
  double number = 0;
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!value->get(number) && number == std::floor(number) && std::abs(number) <= kExact) {
    return int64_t(number);
  }
  throw bad_input("\"{}\": expected an integer", key);
}

}  // namespace nibble
