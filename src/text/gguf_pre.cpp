#include "text/gguf_pre.h"

#include <algorithm>
#include <array>

#include "text/scanners.h"

namespace nibble {
namespace {

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)"
    R"(|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kQwen35 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}|)"
    R"( ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kTekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|)"
    R"(\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kGpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kBailing =
    R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|)"
    R"(\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeek3 =
    R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+|)"
    R"( ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-)"
    R"(Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK)"
    R"(-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠)"
    R"(-𑣟𞤀-𞥃]+)";
constexpr std::string_view kDeepSeekMarks = "\\s?[!-/:-~！-／：-～‘-‟\u3000-。]+";
constexpr std::string_view kHan = "[一-龥ࠀ-一가-\uD7FF]+";
constexpr std::string_view kHanAndKana = "[一-龥\u3040-ゟ゠-ヿ]+";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr std::string_view kNewline = R"([\r\n])", kLastSpaces = R"(\s+$)";
constexpr std::string_view kDigit = R"(\p{N})", kDigits = R"(\p{N}+)";
constexpr std::string_view kDigitTriple = R"(\p{N}{1,3})", kAsciiTriple = "[0-9][0-9][0-9]";

constexpr std::string_view kGpt2Set[] = {kGpt2};
constexpr std::string_view kLlama3Set[] = {kLlama3};
constexpr std::string_view kQwen2Set[] = {kQwen2};
constexpr std::string_view kQwen35Set[] = {kQwen35};
constexpr std::string_view kTekkenSet[] = {kTekken};
constexpr std::string_view kGpt4oSet[] = {kGpt4o};
constexpr std::string_view kBailingSet[] = {kBailing};
constexpr std::string_view kStarCoderSet[] = {kDigit, kGpt2};
constexpr std::string_view kBloomSet[] = {kBloom};
constexpr std::string_view kVikingSet[] = {kBloom, kDigit};
constexpr std::string_view kDeepSeekLlmSet[] = {
    kNewline, kDeepSeekLetters, kDeepSeekMarks, kLastSpaces, kHan, kDigits};
constexpr std::string_view kDeepSeekCoderSet[] = {kNewline, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kHan,
                                                  kDigit};
constexpr std::string_view kDeepSeek3Set[] = {kDigitTriple, kHanAndKana, kDeepSeek3};
constexpr std::string_view kFalconSet[] = {R"([\p{P}\$\+<=>\^~\|`]+)", kGpt2, kAsciiTriple};
constexpr std::string_view kDefaultSet[] = {R"([\p{P}\$\+<=>\^~\|]+)", kGpt2, kDigits,
                                            kAsciiTriple};
constexpr std::string_view kChameleonSet[] = {
    "<sentinel:[0-9]+>",       "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    R"(([\t\n]|    |  ))",     kDigit,
    R"([\p{P}!-/:-@\[-`{-~])", kGpt2};

// Where several ids mean the same, the one to write comes first.
constexpr GgufPre kTable[] = {
    {"llama-bpe", kLlama3Set, true, true},
    {"llama3", kLlama3Set, true, true},
    {"llama-v3", kLlama3Set, true, true},
    {"falcon3", kLlama3Set, true, true},
    {"falcon-h1", kLlama3Set, true, true},
    {"pixtral", kLlama3Set, true, true},
    {"midm-2.0", kLlama3Set, true, true},
    {"lfm2", kLlama3Set, true, true},
    {"smaug-bpe", kLlama3Set},
    {"dbrx", kLlama3Set},
    {"chatglm-bpe", kLlama3Set},
    {"glm4", kLlama3Set},
    {"qwen2", kQwen2Set},
    {"stablelm2", kQwen2Set},
    {"deepseek-r1-qwen", kQwen2Set},
    {"megrez", kQwen2Set},
    {"kormo", kQwen2Set},
    {"qwen35", kQwen35Set},
    {"gpt-2", kGpt2Set},
    {"phi-2", kGpt2Set},
    {"mpt", kGpt2Set},
    {"olmo", kGpt2Set},
    {"jais", kGpt2Set},
    {"trillion", kGpt2Set},
    {"gigachat", kGpt2Set},
    {"exaone4", kGpt2Set},
    {"a.x-4.0", kGpt2Set},
    {"mellum", kGpt2Set},
    {"jina-es", kGpt2Set},
    {"jina-de", kGpt2Set},
    {"roberta-bpe", kGpt2Set},
    {"starcoder", kStarCoderSet},
    {"refact", kStarCoderSet},
    {"command-r", kStarCoderSet},
    {"smollm", kStarCoderSet},
    {"codeshell", kStarCoderSet},
    {"exaone", kStarCoderSet},
    {"minerva-7b", kStarCoderSet},
    {"deepseek-llm", kDeepSeekLlmSet},
    {"deepseek-coder", kDeepSeekCoderSet},
    {"deepseek-v3", kDeepSeek3Set},
    {"tekken", kTekkenSet, true, true},
    {"gpt-4o", kGpt4oSet},
    {"llama4", kGpt4oSet},
    {"bailingmoe", kBailingSet},
    {"bloom", kBloomSet},
    {"poro-chat", kBloomSet},
    {"gpt3-finnish", kBloomSet},
    {"viking", kVikingSet},
    {"falcon", kFalconSet},
    {"chameleon", kChameleonSet, false, true},
    {"default", kDefaultSet},
};

bool same_pattern(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto scanner = scanner_for(a);
  return scanner && scanner == scanner_for(b);
}

}  // namespace

const GgufPre* find_gguf_pre(std::string_view id) {
  for (const GgufPre& row : kTable) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

const GgufPre* find_gguf_pre(const std::vector<std::string>& patterns, bool ignore_merges) {
  const GgufPre* found = nullptr;
  for (const GgufPre& row : kTable) {
    const bool same = std::equal(row.patterns.begin(), row.patterns.end(), patterns.begin(),
                                 patterns.end(), same_pattern);
    if (!same) continue;
    if (row.ignore_merges == ignore_merges) return &row;
    if (found == nullptr) found = &row;
  }
  return found;
}

std::string known_gguf_pre_ids() {
  std::string ids;
  for (const GgufPre& row : kTable) ids.append(ids.empty() ? "" : ", ").append(row.id);
  return ids;
}

}  // namespace nibble
