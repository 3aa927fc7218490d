#include "text/special_tokens.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace nibble {
namespace {

// Tokens that end a turn or a text in the models that have them.
constexpr std::string_view kEndTexts[] = {
    "<|eot_id|>",      "<|im_end|>",    "<|end|>",
    "<|return|>",      "<|call|>",      "<|flush|>",
    "<|calls|>",       "<end_of_turn>", "<|endoftext|>",
    "<|end_of_text|>", "</s>",          "<|eom_id|>",
    "<EOT>",           "_<EOT>",        "[EOT]",
    "[EOS]",           "<eos>",         "<end_of_utterance>",
    "<turn|>",         "<|eot|>",       "<｜end▁of▁sentence｜>",
};

TokenId find_text(const TokenizerParts& parts, std::string_view text) {
  const TokenId id = parts.vocabulary.find(text);
  return id >= 0 && size_t(id) < parts.token_count ? id : -1;
}

void make_control(TokenizerParts* parts, TokenId id) {
  parts->vocabulary.set_type(id, TokenType::kControl);
  for (AddedToken& token : parts->added) {
    if (token.id == id) {
      token.special = true;
      return;
    }
  }
  AddedToken token;
  token.content = parts->vocabulary.text(id);
  token.id = id;
  token.special = true;
  parts->added.push_back(std::move(token));
}

std::optional<JsonFile> read_if_there(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  return JsonFile::read(path);
}

// "bos_token": "<s>" or {"content": "<s>", …}.
std::optional<std::string_view> token_text(JsonObject config, std::string_view key) {
  const auto value = find_value(config, key);
  if (!value) return std::nullopt;
  std::string_view text;
  if (!value->get(text)) return text;
  JsonObject object;
  if (value->get(object)) return std::nullopt;
  return find_string(object, "content");
}

void read_token_texts(JsonObject config, TokenizerParts* parts) {
  const std::pair<const char*, TokenId*> keys[] = {{"bos_token", &parts->special.bos},
                                                   {"eos_token", &parts->special.eos},
                                                   {"unk_token", &parts->special.unknown},
                                                   {"pad_token", &parts->special.padding}};
  for (const auto& [key, id] : keys) {
    const auto text = token_text(config, key);
    if (*id < 0 && text) *id = find_text(*parts, *text);
  }
}

// The ids of "eos_token_id": one or a list.
std::vector<TokenId> read_ids(JsonObject config, std::string_view key,
                              const TokenizerParts& parts) {
  std::vector<TokenId> ids;
  const auto add = [&](int64_t id) {
    if (id >= 0 && size_t(id) < parts.token_count) ids.push_back(TokenId(id));
  };
  const auto value = find_value(config, key);
  if (!value) return ids;
  int64_t one = 0;
  simdjson::dom::array many;
  if (!value->get(one)) {
    add(one);
  } else if (!value->get(many)) {
    for (const auto element : many) {
      if (!element.get(one)) add(one);
    }
  }
  return ids;
}

void read_token_ids(JsonObject config, TokenizerParts* parts) {
  const auto set = [&](const char* key, TokenId* id) {
    const auto ids = read_ids(config, key, *parts);
    if (*id < 0 && !ids.empty()) *id = ids.front();
    return ids;
  };
  set("bos_token_id", &parts->special.bos);
  set("pad_token_id", &parts->special.padding);
  for (const TokenId id : set("eos_token_id", &parts->special.eos)) {
    parts->special.end_of_generation.push_back(id);
  }
}

// LlamaTokenizer and its kin take add_bos_token as what to do when tokenizer.json has no
// post-processor.
void read_added_ends(JsonObject config, TokenizerParts* parts) {
  if (!parts->prefix.empty() || !parts->suffix.empty()) return;
  if (find_bool(config, "add_bos_token").value_or(false) && parts->special.bos >= 0) {
    parts->prefix = {parts->special.bos};
  }
  if (find_bool(config, "add_eos_token").value_or(false) && parts->special.eos >= 0) {
    parts->suffix = {parts->special.eos};
  }
}

// Text that no token covers becomes the unknown token: that must not be one that steers the model.
void check_fallback(TokenizerParts* parts) {
  TokenId& unknown = parts->fallback.unknown;
  if (unknown < 0 || parts->vocabulary.type(unknown) != TokenType::kControl) return;
  const auto& ends = parts->special.end_of_generation;
  const bool steers =
      unknown == parts->special.bos || std::find(ends.begin(), ends.end(), unknown) != ends.end();
  if (steers) {
    unknown = -1;
  } else {
    parts->vocabulary.set_type(unknown, TokenType::kUnknown);
  }
}

}  // namespace

void read_special_tokens(const fs::path& folder, TokenizerParts* parts) {
  if (const auto file = read_if_there(folder / "tokenizer_config.json")) {
    read_token_texts(file->object(), parts);
    read_added_ends(file->object(), parts);
  }
  if (const auto file = read_if_there(folder / "special_tokens_map.json")) {
    read_token_texts(file->object(), parts);
  }
  for (const char* name : {"generation_config.json", "config.json"}) {
    if (const auto file = read_if_there(folder / name)) read_token_ids(file->object(), parts);
  }
}

void complete_special_tokens(TokenizerParts* parts) {
  SpecialTokens& special = parts->special;
  for (TokenId* id : {&special.bos, &special.eos, &special.unknown, &special.padding}) {
    if (*id < 0 || size_t(*id) >= parts->token_count) *id = -1;
  }
  // What stands alone in front of or behind every text is BOS or EOS, if nothing else is.
  if (special.bos < 0 && parts->prefix.size() == 1) special.bos = parts->prefix.front();
  if (special.eos < 0 && parts->suffix.size() == 1) special.eos = parts->suffix.front();
  std::vector<TokenId>& ends = special.end_of_generation;
  ends.push_back(special.eos);
  for (const auto& [name, id] : parts->named_ids) {
    if (name == "eot" || name == "eom") ends.push_back(id);
  }
  // Harmony (gpt-oss) ends a message, not the answer, with <|end|>.
  const bool harmony = find_text(*parts, "<|return|>") >= 0 && find_text(*parts, "<|call|>") >= 0;
  for (const std::string_view text : kEndTexts) {
    const TokenId id = find_text(*parts, text);
    if (id < 0) continue;
    make_control(parts, id);
    if (!(harmony && text == "<|end|>")) ends.push_back(id);
  }
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  std::erase_if(ends, [&](TokenId id) { return id < 0 || size_t(id) >= parts->token_count; });
  check_fallback(parts);
}

}  // namespace nibble
