#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nibble {

// tokenizer.ggml.pre: how a byte-level vocabulary of a GGUF file cuts text into words. The
// expressions work one after another, each on what the last left, and every match is a piece of its
// own.
struct GgufPre {
  std::string_view id;
  std::span<const std::string_view> patterns;
  bool ignore_merges = false;
  bool add_bos = false;  // where tokenizer.ggml.add_bos_token is absent
};

// nullptr for an id nibble does not know.
const GgufPre* find_gguf_pre(std::string_view id);
// The first row with these expressions (spelled in any way we know), preferring one that agrees on
// ignore_merges; nullptr when there is none.
const GgufPre* find_gguf_pre(const std::vector<std::string>& patterns, bool ignore_merges);

// All ids, comma-separated.
std::string known_gguf_pre_ids();

}  // namespace nibble
