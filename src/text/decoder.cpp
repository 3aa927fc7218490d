#include "text/decoder.h"

#include "base/error.h"
#include "text/byte_level.h"
#include "text/component.h"
#include "text/vocabulary.h"

namespace nibble {
namespace {

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t done = 0;
  Pattern::for_each_literal(text, from, [&](size_t begin, size_t end) {
    out.append(text.substr(done, begin - done)).append(to);
    done = end;
  });
  return out.append(text.substr(done));
}

std::string_view strip_ends(std::string_view text, std::string_view what, int64_t start,
                            int64_t stop) {
  for (; start > 0 && !what.empty() && text.starts_with(what); --start) {
    text.remove_prefix(what.size());
  }
  for (; stop > 0 && !what.empty() && text.ends_with(what); --stop) {
    text.remove_suffix(what.size());
  }
  return text;
}

}  // namespace

Decoder::Decoder(JsonObject config) {
  for (const JsonObject& step : flatten_components(config, "decoders")) add(step);
}

void Decoder::add(JsonObject config) {
  const std::string_view type = component_type(config);
  if (type == "ByteLevel") {
    steps_.push_back({Step::kByteLevel, "", ""});
  } else if (type == "ByteFallback") {
    byte_tokens_ = true;
  } else if (type == "Fuse") {
    fused_ = true;
  } else if (type == "Replace") {
    const auto pattern = find_object(config, "pattern");
    const auto from = pattern ? find_string(*pattern, "String") : std::nullopt;
    if (!from || from->empty())
      throw bad_input("decoder Replace: expected a \"String\" to replace");
    steps_.push_back({Step::kReplace, std::string(*from),
                      std::string(find_string(config, "content").value_or(""))});
  } else if (type == "Metaspace") {
    const std::string mark(find_string(config, "replacement").value_or("\xE2\x96\x81"));
    if (mark.empty()) throw bad_input("decoder Metaspace: \"replacement\" is empty");
    const bool legacy = find_bool(config, "add_prefix_space").value_or(true);
    const auto scheme = find_string(config, "prepend_scheme").value_or(legacy ? "always" : "never");
    steps_.push_back({Step::kReplace, mark, " "});
    if (scheme != "never") text_strips_.push_back({Step::kStrip, " ", "", 1, 0});
  } else if (type == "Strip") {
    Step strip{Step::kStrip, std::string(find_string(config, "content").value_or(" ")), "",
               find_int(config, "start").value_or(0), find_int(config, "stop").value_or(0)};
    if (fused_ && strip.stop > 0) {
      throw bad_input("decoder Strip at the end of a whole text is not supported");
    }
    (fused_ ? text_strips_ : steps_).push_back(std::move(strip));
  } else {
    throw bad_input("decoder of type \"{}\", which is not supported", type);
  }
}

std::string Decoder::bytes_of(std::string_view token, TokenType type) const {
  if (type == TokenType::kByte && byte_tokens_) {
    const int value = byte_token_value(token);
    if (value >= 0) return std::string(1, char(value));
  }
  const bool added = type != TokenType::kNormal;
  std::string text(token);
  for (const Step& step : steps_) {
    if (step.kind == Step::kReplace) {
      text = replace_all(text, step.from, step.to);
    } else if (step.kind == Step::kStrip) {
      text = std::string(strip_ends(text, step.from, step.start, step.stop));
    } else if (!added) {
      if (auto bytes = from_byte_level(text)) text = std::move(*bytes);
    }
  }
  return text;
}

std::string_view Decoder::strip(std::string_view text) const {
  for (const Step& step : text_strips_) text = strip_ends(text, step.from, step.start, 0);
  return text;
}

}  // namespace nibble
