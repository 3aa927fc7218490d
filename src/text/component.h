#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/function_ref.h"
#include "text/regex.h"
#include "text/scanners.h"

// What the components of a tokenizer.json (normalizers, pre-tokenizers, decoders) have in common.

namespace nibble {

// "type" of a component. Throws Error(kBadInput) when it is missing.
std::string_view component_type(JsonObject config);

// The members of a component: of a "Sequence" those under `list_key`, nested ones laid flat; of any
// other the component itself. At most 64, at most 8 deep.
std::vector<JsonObject> flatten_components(JsonObject config, std::string_view list_key);

// {"String": "…"} or {"Regex": "…"}, as normalizers and pre-tokenizers spell what they look for.
class Pattern {
 public:
  explicit Pattern(JsonObject owner);  // reads owner["pattern"]

  // Calls match(begin, end) for every match, left to right.
  void for_each_match(std::string_view text, FunctionRef<void(size_t, size_t)> match) const;
  // The same for a plain string.
  static void for_each_literal(std::string_view text, std::string_view wanted,
                               FunctionRef<void(size_t, size_t)> match);

 private:
  std::variant<std::string, Regex, Scanner> kind_;
};

}  // namespace nibble
