#include "text/component.h"

namespace nibble {
namespace {

void flatten(JsonObject config, std::string_view list_key, int depth,
             std::vector<JsonObject>* out) {
  constexpr int kMaxDepth = 8;
  constexpr size_t kMaxComponents = 64;
  if (component_type(config) != "Sequence") {
    if (out->size() == kMaxComponents) throw bad_input("more than {} components", kMaxComponents);
    out->push_back(config);
    return;
  }
  if (depth == kMaxDepth) throw bad_input("sequences nested deeper than {}", kMaxDepth);
  const auto members = find_array(config, list_key);
  if (!members) throw bad_input("a Sequence without \"{}\"", list_key);
  for (const auto member : *members) {
    JsonObject object;
    if (member.get(object)) throw bad_input("\"{}\": expected objects", list_key);
    flatten(object, list_key, depth + 1, out);
  }
}

}  // namespace

std::string_view component_type(JsonObject config) {
  const auto type = find_string(config, "type");
  if (!type) throw bad_input("a component without \"type\"");
  return *type;
}

std::vector<JsonObject> flatten_components(JsonObject config, std::string_view list_key) {
  std::vector<JsonObject> out;
  flatten(config, list_key, 0, &out);
  return out;
}

Pattern::Pattern(JsonObject owner) {
  const auto pattern = find_object(owner, "pattern");
  if (pattern) {
    if (const auto text = find_string(*pattern, "String"); text && !text->empty()) {
      kind_ = std::string(*text);
      return;
    }
    if (const auto text = find_string(*pattern, "Regex"); text && !text->empty()) {
      if (const auto scanner = scanner_for(*text)) {
        kind_ = *scanner;
      } else {
        kind_ = Regex(std::string(*text));
      }
      return;
    }
  }
  throw bad_input("\"pattern\": expected {{\"String\": …}} or {{\"Regex\": …}} that is not empty");
}

void Pattern::for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> match) const {
  if (const auto* scanner = std::get_if<Scanner>(&kind_)) {
    scan_words(*scanner, text, match);
  } else if (const auto* regex = std::get_if<Regex>(&kind_)) {
    regex->for_each_match(text, match);
  } else {
    for_each_literal(text, std::get<std::string>(kind_), match);
  }
}

void Pattern::for_each_literal(std::string_view text, std::string_view wanted,
                               FunctionRef<void(size_t, size_t)> match) {
  for (size_t at = text.find(wanted); at != text.npos; at = text.find(wanted, at)) {
    match(at, at + wanted.size());
    at += wanted.size();
  }
}

}  // namespace nibble
