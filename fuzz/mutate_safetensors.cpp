#include "fuzz/mutate_safetensors.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "fuzz/mutate.h"
#include "io/safetensors.h"

namespace nibble::fuzz {
namespace {

constexpr size_t kLengthBytes = 8;

struct Span {
  size_t begin, end;
};

// Numbers, strings and entries ("name": value, at depth 1) of JSON text, as far as it can be
// followed.
struct Map {
  explicit Map(std::string_view json) {
    size_t depth = 0, entry = 0;
    for (size_t i = 0; i < json.size(); ++i) {
      const char c = json[i];
      if (c == '"') {
        const size_t end = std::min(json.find('"', i + 1), json.size() - 1);
        strings.push_back({i, end + 1});
        i = end;
      } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
        const size_t begin = i;
        while (i + 1 < json.size() && std::isdigit(static_cast<unsigned char>(json[i + 1])) != 0)
          ++i;
        numbers.push_back({begin, i + 1});
      } else if (c == '{' || c == '[') {
        if (++depth == 1) entry = i + 1;
      } else if ((c == ',' && depth == 1) ||
                 ((c == '}' || c == ']') && depth > 0 && --depth == 0)) {
        if (i > entry) entries.push_back({entry, i});
        entry = i + 1;
      }
    }
  }

  std::vector<Span> numbers, strings, entries;
};

std::string text_of(const std::string& json, Span span) {
  return json.substr(span.begin, span.end - span.begin);
}

void replace(std::string& json, Span span, std::string_view text) {
  json.replace(span.begin, span.end - span.begin, text);
}

void change_number(std::string& json, const Map& map, Random& random) {
  static constexpr const char* kOdd[] = {
      "-1",   "0.5",  "1e3", "1e999", "00", "18446744073709551616", "-9223372036854775808",
      "null", "true", "[]",  "\"1\""};
  if (map.numbers.empty()) return;
  const Span span = map.numbers[pick(random, map.numbers.size())];
  const uint64_t choice = random.below(4);
  if (choice == 0) {
    replace(json, span, kOdd[pick(random, std::size(kOdd))]);
  } else if (choice == 1) {
    replace(json, span, text_of(json, map.numbers[pick(random, map.numbers.size())]));
  } else {
    replace(json, span, std::to_string(borders()[pick(random, borders().size())]));
  }
}

void change_string(std::string& json, const Map& map, Random& random) {
  static constexpr const char* kOther[] = {
      "\"F64\"",     "\"F4\"",           "\"F6_E2M3\"", "\"BOOL\"",     "\"I8\"",      "\"\"",
      "\"\\u0000\"", "\"__metadata__\"", "\"dtype\"",   "\"a\\u0062\"", "\"\\ud800\"", "1",
      "{}"};
  if (map.strings.empty()) return;
  const Span span = map.strings[pick(random, map.strings.size())];
  replace(json, span,
          random.below(2) == 0 ? text_of(json, map.strings[pick(random, map.strings.size())])
                               : std::string(kOther[pick(random, std::size(kOther))]));
}

void change_entries(std::string& json, const Map& map, Random& random) {
  if (map.entries.empty()) return;
  std::vector<std::string> entries;
  for (const Span span : map.entries) entries.push_back(text_of(json, span));
  const size_t a = pick(random, entries.size()), b = pick(random, entries.size());
  switch (random.below(3)) {
    case 0:
      entries.insert(entries.begin() + ptrdiff_t(b), entries[a]);
      break;
    case 1:
      entries.erase(entries.begin() + ptrdiff_t(a));
      break;
    default:
      std::swap(entries[a], entries[b]);
  }
  json.assign(1, '{');
  for (const auto& entry : entries) {
    if (json.size() > 1) json += ',';
    json += entry;
  }
  json += '}';
}

void mutate_header(std::string& json, Random& random) {
  const Map map(json);
  const uint64_t choice = random.below(10);
  if (choice < 5) {
    change_number(json, map, random);
  } else if (choice < 7) {
    change_string(json, map, random);
  } else if (choice < 9) {
    change_entries(json, map, random);
  } else {
    mutate_bytes(json, random);
  }
}

}  // namespace

std::string safetensors_seed() {
  Metadata metadata;
  metadata.set("format", std::string("pt"));
  const std::vector<TensorInfo> tensors = {
      {"embed", {3, 8}, &formats::f32}, {"layers.0.weight", {4, 4}, &formats::bf16},
      {"scalar", {}, &formats::f16},    {"empty", {0, 7}, &formats::f32},
      {"mask", {3}, &formats::boolean},
  };
  std::vector<uint64_t> begins;
  uint64_t size = 0;
  for (const auto& tensor : tensors) {
    begins.push_back(size);
    size += tensor.bytes();
  }
  return encode_safetensors_header(metadata, tensors, begins) + std::string(size, 'w');
}

std::string mutate_safetensors(std::string_view file, Random& random) {
  if (file.size() < kLengthBytes || random.below(8) == 0) {
    std::string bytes(file);
    mutate_bytes(bytes, random);
    return bytes;
  }
  uint64_t length = 0;
  std::memcpy(&length, file.data(), kLengthBytes);
  const size_t header = size_t(std::min<uint64_t>(length, file.size() - kLengthBytes));
  std::string json(file.substr(kLengthBytes, header));
  for (uint64_t left = 1 + random.below(3); left > 0; --left) mutate_header(json, random);
  length = json.size();
  if (random.below(8) == 0) length = borders()[pick(random, borders().size())];
  std::string result(kLengthBytes, '\0');
  std::memcpy(result.data(), &length, kLengthBytes);
  return result + json + std::string(file.substr(kLengthBytes + header));
}

}  // namespace nibble::fuzz
