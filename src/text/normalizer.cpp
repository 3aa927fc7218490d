#include "text/normalizer.h"

#include <algorithm>

#include "text/charsmap.h"
#include "text/component.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace nibble {
namespace {

class NormalFormStep : public Normalizer {
 public:
  explicit NormalFormStep(NormalForm form) : form_(form) {}
  std::string apply(std::string_view text) const override { return normalize(text, form_); }
  bool keeps_ascii() const override { return true; }

 private:
  NormalForm form_;
};

class Lowercase : public Normalizer {
 public:
  std::string apply(std::string_view text) const override { return to_lowercase(text); }
};

class StripAccents : public Normalizer {
 public:
  std::string apply(std::string_view text) const override { return strip_marks(text); }
  bool keeps_ascii() const override { return true; }
};

// Removes white space at the ends.
class Strip : public Normalizer {
 public:
  explicit Strip(JsonObject config)
      : left_(find_bool(config, "strip_left").value_or(true)),
        right_(find_bool(config, "strip_right").value_or(true)) {}

  std::string apply(std::string_view text) const override {
    size_t first = text.size(), last = 0;  // of what is not white space
    for (size_t at = 0; at < text.size();) {
      const Utf8Char c = utf8_front(text.substr(at));
      if (!c.valid || !(char_class(c.code_point) & kSpace)) {
        first = std::min(first, at), last = at + c.bytes;
      }
      at += c.bytes;
    }
    const size_t begin = left_ ? first : 0, end = right_ ? last : text.size();
    return std::string(text.substr(begin, end > begin ? end - begin : 0));
  }

 private:
  bool left_, right_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(JsonObject config) : prefix_(find_string(config, "prepend").value_or("")) {}
  std::string apply(std::string_view text) const override {
    return text.empty() ? std::string() : prefix_ + std::string(text);
  }

 private:
  std::string prefix_;
};

class Replace : public Normalizer {
 public:
  explicit Replace(JsonObject config)
      : pattern_(config), content_(find_string(config, "content").value_or("")) {}

  std::string apply(std::string_view text) const override {
    std::string out;
    out.reserve(text.size() + text.size() / 2);
    size_t done = 0;
    pattern_.for_each_match(text, [&](size_t begin, size_t end) {
      out.append(text.substr(done, begin - done)).append(content_);
      done = end;
    });
    out.append(text.substr(done));
    return out;
  }

 private:
  Pattern pattern_;
  std::string content_;
};

class Precompiled : public Normalizer {
 public:
  explicit Precompiled(JsonObject config)
      : map_(base64_decode(find_string(config, "precompiled_charsmap").value_or(""))) {}
  std::string apply(std::string_view text) const override { return map_.apply(text); }

 private:
  Charsmap map_;
};

std::unique_ptr<Normalizer> make_normalizer(JsonObject config) {
  const std::string_view type = component_type(config);
  if (type == "NFC") return std::make_unique<NormalFormStep>(NormalForm::kNfc);
  if (type == "NFD") return std::make_unique<NormalFormStep>(NormalForm::kNfd);
  if (type == "NFKC") return std::make_unique<NormalFormStep>(NormalForm::kNfkc);
  if (type == "NFKD") return std::make_unique<NormalFormStep>(NormalForm::kNfkd);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "Strip") return std::make_unique<Strip>(config);
  if (type == "Prepend") return std::make_unique<Prepend>(config);
  if (type == "Replace") return std::make_unique<Replace>(config);
  if (type == "Precompiled") return std::make_unique<Precompiled>(config);
  throw bad_input("normalizer of type \"{}\", which is not supported", type);
}

}  // namespace

NormalizerChain::NormalizerChain(JsonObject config) {
  for (const JsonObject& step : flatten_components(config, "normalizers")) {
    steps_.push_back(make_normalizer(step));
  }
}

std::string_view NormalizerChain::apply(std::string_view text, std::string* storage) const {
  const bool ascii =
      std::all_of(text.begin(), text.end(), [](char c) { return uint8_t(c) < 0x80; });
  bool rewritten = false;
  for (const auto& step : steps_) {
    if (ascii && !rewritten && step->keeps_ascii()) continue;
    *storage = step->apply(text);
    text = *storage;
    rewritten = true;
  }
  return text;
}

}  // namespace nibble
