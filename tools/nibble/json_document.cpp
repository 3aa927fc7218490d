#include "json_document.h"

#include <nlohmann/json.hpp>
#include <string>

#include "output.h"

namespace nibble::cli {

using nlohmann::ordered_json;

struct Json::Value {
  ordered_json json;
};

Json::Json() : value_(std::make_unique<Value>()) {}
Json::Json(Json&&) noexcept = default;
Json& Json::operator=(Json&&) noexcept = default;
Json::~Json() = default;

Json Json::object() {
  Json json;
  json.value_->json = ordered_json::object();
  return json;
}

Json Json::array() {
  Json json;
  json.value_->json = ordered_json::array();
  return json;
}

Json Json::document(std::string_view schema) {
  Json json = object();
  json.set("schema", schema);
  return json;
}

void Json::set(std::string_view key, Json value) {
  value_->json[std::string(key)] = std::move(value.value_->json);
}
void Json::set(std::string_view key, std::string_view value) {
  value_->json[std::string(key)] = std::string(value);
}
void Json::set(std::string_view key, double value) { value_->json[std::string(key)] = value; }
void Json::set_bool(std::string_view key, bool value) { value_->json[std::string(key)] = value; }
void Json::set_int(std::string_view key, int64_t value) { value_->json[std::string(key)] = value; }
void Json::set_uint(std::string_view key, uint64_t value) {
  value_->json[std::string(key)] = value;
}
void Json::set_null(std::string_view key) { value_->json[std::string(key)] = nullptr; }

void Json::push(Json value) { value_->json.push_back(std::move(value.value_->json)); }
void Json::push(std::string_view value) { value_->json.push_back(std::string(value)); }
void Json::push(double value) { value_->json.push_back(value); }
void Json::push_bool(bool value) { value_->json.push_back(value); }
void Json::push_int(int64_t value) { value_->json.push_back(value); }
void Json::push_uint(uint64_t value) { value_->json.push_back(value); }

void Json::print(bool compact) const {
  const int indent = compact ? -1 : 2;
  print_text(value_->json.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

}  // namespace nibble::cli
