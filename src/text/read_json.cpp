#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "text/component.h"
#include "text/tokenizer_parts.h"

// tokenizer.json of Hugging Face tokenizers (github.com/huggingface/tokenizers). "truncation" and
// "padding" are the caller's business and are not read.

namespace nibble {
namespace {

TokenId checked_id(int64_t id) {
  if (id < 0 || size_t(id) >= Vocabulary::kMaxTokens) {
    throw bad_input("token id {} is not between 0 and {}", id, Vocabulary::kMaxTokens - 1);
  }
  return TokenId(id);
}

bool is_true(JsonObject config, std::string_view key) {
  return find_bool(config, key).value_or(false);
}

// Texts by id, as they are found; the vocabulary needs them in order.
class TokenTable {
 public:
  void set(int64_t id, std::string_view text) {
    const size_t place = size_t(checked_id(id));
    if (place >= texts_.size()) texts_.resize(place + 1);
    if (texts_[place] && *texts_[place] != text) {
      throw bad_input("id {} is given to \"{}\" and to \"{}\"", id, *texts_[place], text);
    }
    texts_[place] = text;
  }
  // Ids nobody uses become unused tokens.
  void move_to(Vocabulary* vocabulary, bool byte_tokens) const {
    for (size_t id = 0; id < texts_.size(); ++id) {
      if (!texts_[id]) {
        vocabulary->add(fmt::format("[PAD{}]", id), TokenType::kUnused);
        continue;
      }
      if (vocabulary->find(*texts_[id]) >= 0) {
        throw bad_input("\"{}\" is in the vocabulary twice", *texts_[id]);
      }
      const bool is_byte = byte_tokens && byte_token_value(*texts_[id]) >= 0;
      vocabulary->add(*texts_[id], is_byte ? TokenType::kByte : TokenType::kNormal);
    }
  }

 private:
  std::vector<std::optional<std::string_view>> texts_;
};

std::vector<AddedToken> read_added(JsonObject root) {
  std::vector<AddedToken> tokens;
  const auto list = find_array(root, "added_tokens");
  if (!list) return tokens;
  for (const auto element : *list) {
    JsonObject config;
    if (element.get(config)) throw bad_input("\"added_tokens\": expected objects");
    AddedToken token;
    token.content = find_string(config, "content").value_or("");
    token.id = checked_id(find_int(config, "id").value_or(-1));
    if (token.content.empty()) throw bad_input("added token {} has no \"content\"", token.id);
    token.special = is_true(config, "special");
    token.normalized = is_true(config, "normalized");
    token.single_word = is_true(config, "single_word");
    token.lstrip = is_true(config, "lstrip");
    token.rstrip = is_true(config, "rstrip");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

// The vocabulary of the model and the added tokens behind it. A token that is in both keeps the id
// of the vocabulary.
void build_vocabulary(std::vector<std::pair<std::string_view, int64_t>> model_tokens,
                      bool byte_tokens, TokenizerParts* parts) {
  TokenTable table;
  for (const auto& [text, id] : model_tokens) table.set(id, text);
  std::sort(model_tokens.begin(), model_tokens.end());
  for (AddedToken& token : parts->added) {
    const std::string_view content = token.content;
    const auto known = std::lower_bound(
        model_tokens.begin(), model_tokens.end(), content,
        [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    if (known != model_tokens.end() && known->first == content) {
      token.id = TokenId(known->second);
    } else {
      table.set(token.id, content);
    }
  }
  table.move_to(&parts->vocabulary, byte_tokens);
  parts->token_count = parts->vocabulary.size();
  for (const AddedToken& token : parts->added) {
    parts->vocabulary.set_type(token.id,
                               token.special ? TokenType::kControl : TokenType::kUserDefined);
  }
}

void read_unknown(TokenId id, TokenizerParts* parts) {
  if (id < 0) return;
  parts->fallback.unknown = parts->special.unknown = id;
  const bool byte_level = parts->model == ModelKind::kByteBpe;
  if (!byte_level) parts->vocabulary.set_type(id, TokenType::kUnknown);
}

TokenId symbol(const Vocabulary& vocabulary, std::string_view text, size_t merge) {
  const TokenId id = vocabulary.find(text);
  if (id < 0) throw bad_input("merge {}: \"{}\" is not in the vocabulary", merge, text);
  return id;
}

// "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> read_merge(simdjson::dom::element element,
                                                         size_t merge) {
  std::string_view line;
  simdjson::dom::array pair;
  if (!element.get(line)) {
    const size_t space = line.find(' ');
    const bool one_space = space != line.npos && line.find(' ', space + 1) == line.npos;
    if (one_space && space > 0 && space + 1 < line.size()) {
      return {line.substr(0, space), line.substr(space + 1)};
    }
  } else if (!element.get(pair) && pair.size() == 2) {
    std::string_view left, right;
    if (!pair.at(0).get(left) && !pair.at(1).get(right) && !left.empty() && !right.empty()) {
      return {left, right};
    }
  }
  throw bad_input("merge {} is neither \"a b\" nor [\"a\", \"b\"]", merge);
}

void read_bpe(JsonObject model, TokenizerParts* parts) {
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!find_string(model, key).value_or("").empty()) {
      throw bad_input("BPE with \"{}\" is not supported", key);
    }
  }
  if (find_number(model, "dropout").value_or(0) > 0) {
    throw bad_input("BPE with \"dropout\" is for training");
  }
  const auto vocab = find_object(model, "vocab");
  if (!vocab) throw bad_input("the BPE model has no \"vocab\" object");
  std::vector<std::pair<std::string_view, int64_t>> tokens;
  for (const auto field : *vocab) {
    int64_t id = 0;
    if (field.value.get(id))
      throw bad_input("\"vocab\": the id of \"{}\" is no integer", field.key);
    tokens.emplace_back(field.key, id);
  }
  parts->fallback.bytes = is_true(model, "byte_fallback");
  parts->fallback.fuse_unknown = is_true(model, "fuse_unk");
  parts->ignore_merges = is_true(model, "ignore_merges");
  build_vocabulary(std::move(tokens), parts->fallback.bytes, parts);
  if (const auto unknown = find_string(model, "unk_token")) {
    const TokenId id = parts->vocabulary.find(*unknown);
    if (id < 0) throw bad_input("\"unk_token\": \"{}\" is not in the vocabulary", *unknown);
    read_unknown(id, parts);
  }
  const auto merges = find_array(model, "merges");
  if (!merges) throw bad_input("the BPE model has no \"merges\" list");
  for (const auto element : *merges) {
    const size_t place = parts->merges.size();
    const auto [left, right] = read_merge(element, place);
    parts->merges.push_back(
        {symbol(parts->vocabulary, left, place), symbol(parts->vocabulary, right, place)});
  }
}

void read_unigram(JsonObject model, TokenizerParts* parts) {
  const auto vocab = find_array(model, "vocab");
  if (!vocab) throw bad_input("the Unigram model has no \"vocab\" list");
  std::vector<std::pair<std::string_view, int64_t>> tokens;
  std::vector<float> scores;
  for (const auto element : *vocab) {
    simdjson::dom::array pair;
    std::string_view text;
    double score = 0;
    const bool good =
        !element.get(pair) && pair.size() == 2 && !pair.at(0).get(text) && !pair.at(1).get(score);
    if (!good) throw bad_input("\"vocab\": entry {} is not [piece, score]", tokens.size());
    tokens.emplace_back(text, int64_t(tokens.size()));
    scores.push_back(float(score));
  }
  parts->fallback.bytes = is_true(model, "byte_fallback");
  parts->fallback.fuse_unknown = true;
  build_vocabulary(std::move(tokens), parts->fallback.bytes, parts);
  for (size_t id = 0; id < scores.size(); ++id)
    parts->vocabulary.set_score(TokenId(id), scores[id]);
  if (const auto id = find_int(model, "unk_id")) {
    if (!parts->vocabulary.contains(*id)) throw bad_input("\"unk_id\": no token {}", *id);
    read_unknown(TokenId(*id), parts);
  }
}

bool has_component(JsonObject root, const char* key, const char* list_key, std::string_view type) {
  const auto config = find_object(root, key);
  if (!config) return false;
  const auto steps = flatten_components(*config, list_key);
  return std::any_of(steps.begin(), steps.end(),
                     [&](const JsonObject& step) { return component_type(step) == type; });
}

std::string component_json(JsonObject root, const char* key) {
  const auto config = find_object(root, key);
  return config ? simdjson::minify(*config) : std::string();
}

// The ids a template puts where "name" stands.
std::vector<TokenId> template_ids(JsonObject config, std::string_view name,
                                  const TokenizerParts& parts) {
  std::vector<TokenId> ids;
  const auto tokens = find_object(config, "special_tokens");
  const auto token = tokens ? find_object(*tokens, name) : std::nullopt;
  const auto list = token ? find_array(*token, "ids") : std::nullopt;
  if (!list) throw bad_input("the template names \"{}\" but does not say what it is", name);
  for (const auto element : *list) {
    int64_t id = -1;
    if (element.get(id) || !parts.vocabulary.contains(id)) {
      throw bad_input("the template token \"{}\" has an id out of range", name);
    }
    ids.push_back(TokenId(id));
  }
  return ids;
}

void read_template(JsonObject config, TokenizerParts* parts) {
  const auto single = find_array(config, "single");
  if (!single) throw bad_input("TemplateProcessing without \"single\"");
  std::vector<TokenId> prefix, suffix;
  bool seen_text = false;
  for (const auto element : *single) {
    JsonObject item;
    if (element.get(item)) throw bad_input("\"single\": expected objects");
    if (const auto special = find_object(item, "SpecialToken")) {
      const auto ids = template_ids(config, find_string(*special, "id").value_or(""), *parts);
      auto& side = seen_text ? suffix : prefix;
      side.insert(side.end(), ids.begin(), ids.end());
    } else if (!find_object(item, "Sequence") || std::exchange(seen_text, true)) {
      throw bad_input("\"single\": expected special tokens around one sequence");
    }
  }
  parts->prefix.insert(parts->prefix.begin(), prefix.begin(), prefix.end());
  parts->suffix.insert(parts->suffix.end(), suffix.begin(), suffix.end());
}

// ["[CLS]", 101]
TokenId pair_id(JsonObject config, const char* key, const TokenizerParts& parts) {
  const auto pair = find_array(config, key);
  int64_t id = -1;
  if (!pair || pair->at(1).get(id) || !parts.vocabulary.contains(id)) {
    throw bad_input("\"{}\": expected [text, id] of a token", key);
  }
  return TokenId(id);
}

void read_post_processor(JsonObject config, TokenizerParts* parts) {
  for (const JsonObject& step : flatten_components(config, "processors")) {
    const std::string_view type = component_type(step);
    if (type == "TemplateProcessing") {
      read_template(step, parts);
    } else if (type == "BertProcessing" || type == "RobertaProcessing") {
      parts->prefix.insert(parts->prefix.begin(), pair_id(step, "cls", *parts));
      parts->suffix.push_back(pair_id(step, "sep", *parts));
    } else if (type != "ByteLevel") {  // which only moves offsets
      throw bad_input("post-processor of type \"{}\", which is not supported", type);
    }
  }
}

void read_model(JsonObject root, TokenizerParts* parts) {
  const auto model = find_object(root, "model");
  if (!model) throw bad_input("there is no \"model\"");
  const bool listed = find_value(*model, "vocab") && find_value(*model, "vocab")->is_array();
  const auto type = find_string(*model, "type").value_or(listed ? "Unigram" : "BPE");
  if (type == "BPE") {
    const bool bytes = has_component(root, "pre_tokenizer", "pretokenizers", "ByteLevel");
    parts->model = bytes ? ModelKind::kByteBpe : ModelKind::kMergeBpe;
    read_bpe(*model, parts);
  } else if (type == "Unigram") {
    parts->model = ModelKind::kUnigram;
    read_unigram(*model, parts);
  } else {
    throw bad_input("model of type \"{}\", which is not supported", type);
  }
}

// Runs `read`; an error says which part of the file it is about.
template <typename Read>
void in_section(const char* name, const Read& read) {
  try {
    read();
  } catch (Error& error) {
    throw error.at(name);
  }
}

TokenizerParts parse_parts(const JsonFile& file) {
  const JsonObject root = file.object();
  TokenizerParts parts;
  in_section("added_tokens", [&] { parts.added = read_added(root); });
  in_section("model", [&] { read_model(root, &parts); });
  in_section("post_processor", [&] {
    if (const auto config = find_object(root, "post_processor"))
      read_post_processor(*config, &parts);
  });
  parts.normalizer = component_json(root, "normalizer");
  parts.pre_tokenizer = component_json(root, "pre_tokenizer");
  parts.decoder = component_json(root, "decoder");
  if (parts.decoder.empty()) {
    if (parts.model != ModelKind::kByteBpe) throw bad_input("there is no \"decoder\"");
    parts.decoder = R"({"type":"ByteLevel"})";
  }
  return parts;
}

}  // namespace

TokenizerParts parse_tokenizer_json(std::string_view text, const std::string& name) {
  const JsonFile file(text, name);
  try {
    TokenizerParts parts = parse_parts(file);
    parts.original_json = text;
    return parts;
  } catch (Error& error) {
    throw error.at(name);
  }
}

TokenizerParts read_tokenizer_json(const fs::path& path) {
  return parse_tokenizer_json(read_text_file(path), path.string());
}

}  // namespace nibble
