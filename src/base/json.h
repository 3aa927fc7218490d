#pragma once

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json_fwd.h"
#include "base/view.h"

// Reading JSON that somebody else wrote (simdjson), with errors that name the place.
// Writing is nlohmann-json's part.

namespace nibble {

class JsonFile {
 public:
  // Parses a whole document. `name` is what errors call it.
  // Throws Error(kBadInput) on malformed JSON, invalid UTF-8, or nesting deeper than 64.
  JsonFile(std::string_view text, std::string name);
  static JsonFile read(const fs::path& path);

  simdjson::dom::element root() const { return root_; }
  simdjson::dom::object object() const;  // the root; throws when it is something else
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::unique_ptr<simdjson::dom::parser> parser_;  // elements point into it, so it must not move
  simdjson::dom::element root_;
};

// Fields of an object. `find_*` gives nothing when the key is absent or null; a value of another
// type throws Error(kBadInput) naming the key. Integers may be spelled as whole floats.
std::optional<simdjson::dom::element> find_value(JsonObject o, std::string_view key);
std::optional<JsonObject> find_object(JsonObject o, std::string_view key);
std::optional<simdjson::dom::array> find_array(JsonObject o, std::string_view key);
std::optional<std::string_view> find_string(JsonObject o, std::string_view key);
std::optional<int64_t> find_int(JsonObject o, std::string_view key);
std::optional<double> find_number(JsonObject o, std::string_view key);
std::optional<bool> find_bool(JsonObject o, std::string_view key);

}  // namespace nibble
