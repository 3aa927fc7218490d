#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/components_json.h"
#include "text/prefix_index.h"
#include "text/tokenizer_parts.h"
#include "text/utf8.h"

// A tokenizer.json for a tokenizer that did not come from one. Lists of tokens are written as they
// come: a JSON tree of half a million nodes would take a second.

namespace nibble {
namespace {

std::string json_string(std::string_view text) {
  if (!is_valid_utf8(text)) {
    throw bad_input("the token \"{}\" is not UTF-8 and cannot be written as JSON",
                    replace_invalid_utf8(text));
  }
  return nlohmann::json(text).dump();
}

const char* truth(bool value) { return value ? "true" : "false"; }

class List {
 public:
  explicit List(std::string* out) : out_(*out) {}
  void next() {
    if (!std::exchange(first_, false)) out_ += ',';
    out_ += "\n ";
  }

 private:
  std::string& out_;
  bool first_ = true;
};

std::string added_tokens(const TokenizerParts& parts) {
  std::vector<const AddedToken*> tokens;
  for (const AddedToken& token : parts.added) tokens.push_back(&token);
  std::sort(tokens.begin(), tokens.end(),
            [](const auto* a, const auto* b) { return a->id < b->id; });
  std::string out = "[";
  List list(&out);
  for (const AddedToken* token : tokens) {
    list.next();
    out += fmt::format(
        R"({{"id":{},"content":{},"single_word":{},"lstrip":{},"rstrip":{},"normalized":{},"special":{}}})",
        token->id, json_string(token->content), truth(token->single_word), truth(token->lstrip),
        truth(token->rstrip), truth(token->normalized || token->as_normalized),
        truth(token->special));
  }
  return out + "]";
}

std::string post_processor(const TokenizerParts& parts) {
  if (parts.prefix.empty() && parts.suffix.empty()) return "null";
  nlohmann::ordered_json single = nlohmann::ordered_json::array(), tokens;
  const auto add = [&](TokenId id) {
    const std::string name(parts.vocabulary.text(id));
    single.push_back({{"SpecialToken", {{"id", name}, {"type_id", 0}}}});
    tokens[name] = {{"id", name}, {"ids", {id}}, {"tokens", {name}}};
  };
  for (const TokenId id : parts.prefix) add(id);
  single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
  for (const TokenId id : parts.suffix) add(id);
  nlohmann::ordered_json pair = single;
  for (auto item : single) {
    if (item.contains("Sequence")) item["Sequence"]["id"] = "B";
    item.front()["type_id"] = 1;
    pair.push_back(std::move(item));
  }
  return nlohmann::ordered_json{{"type", "TemplateProcessing"},
                                {"single", single},
                                {"pair", pair},
                                {"special_tokens", tokens}}
      .dump();
}

// What merging by score can do, as a list: for every piece all ways to make it of two, the pieces
// of the highest score first.
std::vector<Merge> merges_from_scores(const Vocabulary& vocabulary) {
  constexpr size_t kLongest = 1024;
  std::vector<PrefixIndex::Entry> entries;
  std::vector<TokenId> pieces;
  for (TokenId id = 0; size_t(id) < vocabulary.size(); ++id) {
    if (!vocabulary.is_piece(id)) continue;
    if (vocabulary.text(id).size() > kLongest) {
      throw bad_input("token {} is too long to be written as merges", id);
    }
    entries.push_back({vocabulary.text(id), id});
    pieces.push_back(id);
  }
  const PrefixIndex index(std::move(entries));
  std::stable_sort(pieces.begin(), pieces.end(),
                   [&](TokenId a, TokenId b) { return vocabulary.score(a) > vocabulary.score(b); });
  std::vector<Merge> merges;
  for (const TokenId id : pieces) {
    const std::string_view text = vocabulary.text(id);
    index.for_each_prefix(text, [&](size_t length, TokenId left) {
      if (length == text.size()) return;
      const TokenId right = vocabulary.find_piece(text.substr(length));
      if (right >= 0) merges.push_back({left, right});
    });
  }
  return merges;
}

void write_bpe(const TokenizerParts& parts, std::string* out) {
  const bool bytes = parts.model == ModelKind::kByteBpe;
  const TokenId unknown = parts.fallback.unknown;
  *out += fmt::format(
      R"({{"type":"BPE","dropout":null,"unk_token":{},"continuing_subword_prefix":null,)"
      R"("end_of_word_suffix":null,"fuse_unk":{},"byte_fallback":{},"ignore_merges":{},"vocab":{{)",
      unknown >= 0 ? json_string(parts.vocabulary.text(unknown)) : "null",
      truth(parts.fallback.fuse_unknown), truth(parts.fallback.bytes), truth(parts.ignore_merges));
  List vocab(out);
  for (TokenId id = 0; size_t(id) < parts.token_count; ++id) {
    const std::string_view text = parts.vocabulary.text(id);
    // Of tokens with one text only the last can be found, and a JSON object holds one.
    const bool unused = parts.vocabulary.type(id) == TokenType::kUnused;
    if (unused || parts.vocabulary.find(text) != id) continue;
    vocab.next();
    *out += fmt::format("{}:{}", json_string(text), id);
  }
  *out += "},\"merges\":[";
  const auto merges = bytes ? parts.merges : merges_from_scores(parts.vocabulary);
  const auto is_token = [&](TokenId id) { return id >= 0 && size_t(id) < parts.token_count; };
  List list(out);
  for (const Merge& merge : merges) {
    const std::string_view left = parts.vocabulary.text(merge.left);
    const std::string_view right = parts.vocabulary.text(merge.right);
    const TokenId merged = parts.vocabulary.find(std::string(left) + std::string(right));
    if (!is_token(merge.left) || !is_token(merge.right) || !is_token(merged)) {
      throw bad_input(
          "the merge \"{} {}\" names what is no token; tokenizer.json has no such thing", left,
          right);
    }
    list.next();
    *out += fmt::format("[{},{}]", json_string(left), json_string(right));
  }
  *out += "]}";
}

void write_unigram(const TokenizerParts& parts, std::string* out) {
  *out += fmt::format(R"({{"type":"Unigram","unk_id":{},"byte_fallback":{},"vocab":[)",
                      parts.fallback.unknown >= 0 ? std::to_string(parts.fallback.unknown) : "null",
                      truth(parts.fallback.bytes));
  List list(out);
  for (TokenId id = 0; size_t(id) < parts.token_count; ++id) {
    list.next();
    *out += fmt::format("[{},{}]", json_string(parts.vocabulary.text(id)),
                        nlohmann::json(parts.vocabulary.score(id)).dump());
  }
  *out += "]}";
}

const std::string& or_null(const std::string& json) {
  static const std::string null = "null";
  return json.empty() ? null : json;
}

}  // namespace

std::string write_tokenizer_json(const TokenizerParts& parts) {
  std::string out = "{\"version\":\"1.0\",\n\"truncation\":null,\n\"padding\":null,\n";
  out += "\"added_tokens\":" + added_tokens(parts) + ",\n";
  MetaspaceComponents components = {parts.normalizer, parts.pre_tokenizer};
  // An added token is normalized before it is looked for; a space put in front would hide it.
  const bool any = std::any_of(parts.added.begin(), parts.added.end(),
                               [](const AddedToken& token) { return token.as_normalized; });
  if (any) {
    components = metaspace_components(sentencepiece_rules(parts.normalizer, parts.pre_tokenizer));
  }
  out += "\"normalizer\":" + or_null(components.normalizer) + ",\n";
  out += "\"pre_tokenizer\":" + or_null(components.pre_tokenizer) + ",\n";
  out += "\"post_processor\":" + post_processor(parts) + ",\n";
  out += "\"decoder\":" + or_null(parts.decoder) + ",\n\"model\":";
  parts.model == ModelKind::kUnigram ? write_unigram(parts, &out) : write_bpe(parts, &out);
  return out + "}\n";
}

}  // namespace nibble
