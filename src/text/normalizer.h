#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace nibble {

// One step that rewrites text before it is cut into words.
class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual std::string apply(std::string_view text) const = 0;
  // True when text of ASCII alone comes out as it went in.
  virtual bool keeps_ascii() const { return false; }
};

// The steps of the "normalizer" of a tokenizer.json, in order; none when it is null. Known types:
// Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Prepend, Replace, Precompiled.
// Throws Error(kBadInput) naming a type it does not know.
class NormalizerChain {
 public:
  NormalizerChain() = default;
  explicit NormalizerChain(JsonObject config);

  bool empty() const { return steps_.empty(); }
  // May return `text` itself; otherwise the result lies in `*storage`.
  std::string_view apply(std::string_view text, std::string* storage) const;

 private:
  std::vector<std::unique_ptr<Normalizer>> steps_;
};

}  // namespace nibble
