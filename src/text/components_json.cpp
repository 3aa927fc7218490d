#include "text/components_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/charsmap.h"
#include "text/component.h"
#include "text/scanners.h"

namespace nibble {
namespace {

using Json = nlohmann::ordered_json;

// SentencePiece takes spaces off the end after it has spelled them as marks. (The look behind keeps
// the search linear in a long run of spaces.)
constexpr std::string_view kEndSpaces = R"(\A +|(?<![ ▁])[ ▁]+\z)", kSpaceRun = " {2,}";

Json replace(const char* kind, std::string_view what, std::string_view with) {
  return {{"type", "Replace"}, {"pattern", {{kind, what}}}, {"content", with}};
}

Json sequence(const char* list_key, std::vector<Json> members) {
  if (members.size() == 1) return members.front();
  return {{"type", "Sequence"}, {list_key, std::move(members)}};
}

// What a SentencePiece normalizer does to the text itself.
std::vector<Json> text_steps(const SpaceRules& rules) {
  std::vector<Json> steps;
  if (!rules.charsmap.empty()) {
    steps.push_back(
        {{"type", "Precompiled"}, {"precompiled_charsmap", base64_encode(rules.charsmap)}});
  }
  if (rules.remove_extra) {
    steps.push_back(replace("Regex", kEndSpaces, ""));
    steps.push_back(replace("Regex", kSpaceRun, " "));
  }
  return steps;
}

Error not_expressible(std::string_view type) {
  return std::move(bad_input("GGUF has no word for what \"{}\" does here", type)
                       .hint("write a Hugging Face folder instead"));
}

// What a Replace looks for and puts in its place.
struct Replacement {
  std::string_view text, regex, content;
};
Replacement read_replacement(JsonObject config) {
  Replacement result;
  if (const auto pattern = find_object(config, "pattern")) {
    result.text = find_string(*pattern, "String").value_or("");
    result.regex = find_string(*pattern, "Regex").value_or("");
  }
  result.content = find_string(config, "content").value_or("");
  return result;
}

// One step of a normalizer, as far as it is one that SentencePiece has.
void read_rule(JsonObject step, SpaceRules* rules) {
  const std::string_view type = component_type(step);
  if (type == "Prepend" && find_string(step, "prepend") == kSpaceMark) {
    rules->prefix = true;
    return;
  }
  if (type == "Precompiled") {
    rules->charsmap = base64_decode(find_string(step, "precompiled_charsmap").value_or(""));
    return;
  }
  if (type == "Strip") {
    rules->remove_extra = true;
    return;
  }
  if (type == "Replace") {
    const Replacement r = read_replacement(step);
    if (r.text == " " && r.content == kSpaceMark) return;
    const bool squeeze = r.regex == kSpaceRun && (r.content == " " || r.content == kSpaceMark);
    if (squeeze || (r.regex == kEndSpaces && r.content.empty())) {
      rules->remove_extra = true;
      return;
    }
  }
  throw not_expressible(type);
}

void read_metaspace(JsonObject step, SpaceRules* rules) {
  const std::string_view type = component_type(step);
  if (type == "WhitespaceSplit") {
    rules->remove_extra = true;
    return;
  }
  const bool cuts_at_spaces = type == "Split" && find_object(step, "pattern") &&
                              find_string(*find_object(step, "pattern"), "String") == " ";
  if (cuts_at_spaces) return;
  if (type != "Metaspace" || find_string(step, "replacement").value_or(kSpaceMark) != kSpaceMark) {
    throw not_expressible(type);
  }
  const bool legacy = find_bool(step, "add_prefix_space").value_or(true);
  rules->prefix =
      find_string(step, "prepend_scheme").value_or(legacy ? "always" : "never") != "never";
}

}  // namespace

std::string byte_level_pre_tokenizer(std::span<const std::string_view> patterns) {
  std::vector<Json> steps;
  for (const std::string_view pattern : patterns) {
    steps.push_back({{"type", "Split"},
                     {"pattern", {{"Regex", pattern}}},
                     {"behavior", "Isolated"},
                     {"invert", false}});
  }
  steps.push_back({{"type", "ByteLevel"},
                   {"add_prefix_space", false},
                   {"trim_offsets", true},
                   {"use_regex", false}});
  return sequence("pretokenizers", std::move(steps)).dump();
}

std::string sentencepiece_normalizer(const SpaceRules& rules) {
  std::vector<Json> steps = text_steps(rules);
  if (rules.prefix) steps.push_back({{"type", "Prepend"}, {"prepend", kSpaceMark}});
  steps.push_back(replace("String", " ", kSpaceMark));
  return sequence("normalizers", std::move(steps)).dump();
}

MetaspaceComponents metaspace_components(const SpaceRules& rules) {
  const std::vector<Json> steps = text_steps(rules);
  const Json metaspace = {{"type", "Metaspace"},
                          {"replacement", kSpaceMark},
                          {"prepend_scheme", rules.prefix ? "first" : "never"},
                          {"split", false}};
  return {steps.empty() ? "" : sequence("normalizers", steps).dump(), metaspace.dump()};
}

std::string sentencepiece_decoder(bool prefix) {
  std::vector<Json> steps = {
      replace("String", kSpaceMark, " "), {{"type", "ByteFallback"}}, {{"type", "Fuse"}}};
  if (prefix) steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  return sequence("decoders", std::move(steps)).dump();
}

std::vector<std::string> byte_level_patterns(const std::string& pre_tokenizer) {
  std::vector<std::string> patterns;
  const JsonFile file(pre_tokenizer, "pre_tokenizer");
  for (const JsonObject& step : flatten_components(file.object(), "pretokenizers")) {
    const std::string_view type = component_type(step);
    if (type == "Split") {
      const auto pattern = find_object(step, "pattern");
      const auto regex = pattern ? find_string(*pattern, "Regex") : std::nullopt;
      const std::string_view behavior = find_string(step, "behavior").value_or("");
      const bool covers_all = regex && scanner_for(*regex).has_value();
      // Removing what does not match leaves the same words when everything matches.
      const bool inverted = find_bool(step, "invert").value_or(false) && behavior == "Removed";
      if (!regex || !(behavior == "Isolated" || (covers_all && inverted)))
        throw not_expressible(type);
      patterns.emplace_back(*regex);
    } else if (type == "Digits" && find_bool(step, "individual_digits").value_or(false)) {
      patterns.emplace_back(R"(\p{N})");
    } else if (type == "ByteLevel" && !find_bool(step, "add_prefix_space").value_or(true)) {
      if (find_bool(step, "use_regex").value_or(true)) {
        patterns.emplace_back(scanner_pattern(Scanner::kGpt2));
      }
    } else {
      throw not_expressible(type);
    }
  }
  return patterns;
}

SpaceRules sentencepiece_rules(const std::string& normalizer, const std::string& pre_tokenizer) {
  SpaceRules rules;
  rules.prefix = false;
  if (!normalizer.empty()) {
    const JsonFile file(normalizer, "normalizer");
    for (const auto& step : flatten_components(file.object(), "normalizers"))
      read_rule(step, &rules);
  }
  if (!pre_tokenizer.empty()) {
    const JsonFile file(pre_tokenizer, "pre_tokenizer");
    for (const auto& step : flatten_components(file.object(), "pretokenizers")) {
      read_metaspace(step, &rules);
    }
  }
  return rules;
}

}  // namespace nibble
