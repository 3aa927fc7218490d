#include "text/small_tokenizers.h"

#include <fmt/format.h>

#include <fstream>

#include "support/support.h"
#include "text/byte_level.h"

namespace nibble::test {
namespace {

Json added_token(int id, const char* content, bool special) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", special}};
}

constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

Json byte_level_json() {
  Json vocab;
  int id = 0;
  for (int byte = 0; byte < 256; ++byte) vocab[to_byte_level(std::string(1, char(byte)))] = id++;
  for (const char* text : {"ll", "llo", "he", "Ġw"}) vocab[text] = id++;
  const Json start = {{"SpecialToken", {{"id", "<|start|>"}, {"type_id", 0}}}};
  const Json text = {{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  return {
      {"version", "1.0"},
      {"added_tokens",
       {added_token(260, "<|start|>", true), added_token(261, "<|im_end|>", true),
        added_token(262, "<tool>", false)}},
      {"normalizer", nullptr},
      {"pre_tokenizer",
       {{"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", kLlama3}}}, {"behavior", "Isolated"}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", {start, text}},
        {"special_tokens",
         {{"<|start|>", {{"id", "<|start|>"}, {"ids", {260}}, {"tokens", {"<|start|>"}}}}}}}},
      {"decoder", {{"type", "ByteLevel"}}},
      {"model", {{"type", "BPE"}, {"vocab", vocab}, {"merges", {"l l", "ll o", "h e", "Ġ w"}}}}};
}

Json sentencepiece_json() {
  Json vocab = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}};
  int id = 3;
  for (int byte = 0; byte < 256; ++byte) vocab[fmt::format("<0x{:02X}>", byte)] = id++;
  for (const char* text : {"▁", "a", "b", "c", "<", ">", "s", "/", "▁a", "ab", "▁ab", "▁▁"}) {
    vocab[text] = id++;
  }
  const Json space = {{"String", " "}}, mark = {{"String", "▁"}};
  return {
      {"added_tokens",
       {added_token(0, "<unk>", true), added_token(1, "<s>", true), added_token(2, "</s>", true)}},
      {"normalizer",
       {{"type", "Sequence"},
        {"normalizers",
         {{{"type", "Prepend"}, {"prepend", "▁"}},
          {{"type", "Replace"}, {"pattern", space}, {"content", "▁"}}}}}},
      {"pre_tokenizer", nullptr},
      {"post_processor", nullptr},
      {"decoder",
       {{"type", "Sequence"},
        {"decoders",
         {{{"type", "Replace"}, {"pattern", mark}, {"content", " "}},
          {{"type", "ByteFallback"}},
          {{"type", "Fuse"}},
          {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
      {"model",
       {{"type", "BPE"},
        {"unk_token", "<unk>"},
        {"fuse_unk", true},
        {"byte_fallback", true},
        {"vocab", vocab},
        {"merges", pairs({{"▁", "a"}, {"a", "b"}, {"▁a", "b"}, {"▁", "ab"}, {"▁", "▁"}})}}}};
}

Json pairs(const std::vector<std::pair<std::string, Json>>& list) {
  Json json = Json::array();
  for (const auto& [first, second] : list) json.push_back(Json::array({first, second}));
  return json;
}

std::unique_ptr<Tokenizer> load_json_text(std::string_view text) {
  const TemporaryFolder folder;
  std::ofstream(folder / "tokenizer.json", std::ios::binary) << text;
  return load_tokenizer(folder.path());
}

std::unique_ptr<Tokenizer> load_json(const Json& json) { return load_json_text(json.dump()); }

std::unique_ptr<Tokenizer> through_gguf(const Tokenizer& tokenizer) {
  Metadata metadata;
  tokenizer.write_gguf(metadata);
  return load_tokenizer(metadata);
}

std::unique_ptr<Tokenizer> shipped_tokenizer() { return load_tokenizer(shipped_model()); }

}  // namespace nibble::test
