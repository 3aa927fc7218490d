#include "text/pre_tokenizer.h"

#include <algorithm>

#include "text/component.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace nibble {
namespace {

// What becomes of the matches a piece is cut at.
enum class Behavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

Behavior read_behavior(JsonObject config, std::string_view fallback) {
  const std::string_view name = find_string(config, "behavior").value_or(fallback);
  if (name == "Removed") return Behavior::kRemoved;
  if (name == "Isolated") return Behavior::kIsolated;
  if (name == "MergedWithPrevious") return Behavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return Behavior::kMergedWithNext;
  if (name == "Contiguous") return Behavior::kContiguous;
  throw bad_input("\"behavior\": unknown value \"{}\"", name);
}

struct Part {
  size_t begin = 0, end = 0;
  bool match = false;
};

// Passes parts on under a behavior. Parts arrive in order and cover the piece; a pending part waits
// until it is known whether its neighbour joins it.
class PartJoiner {
 public:
  PartJoiner(const Piece& piece, Behavior behavior, PieceSink sink)
      : piece_(piece), behavior_(behavior), sink_(sink) {}

  void add(Part part) {
    if (part.begin == part.end) return;
    if (behavior_ == Behavior::kRemoved && part.match) return;
    if (pending_.begin != pending_.end && joins(part)) {
      pending_.end = part.end;
      // A match that was taken in shields the next match from being taken in, too.
      pending_.match = part.match;
      return;
    }
    flush();
    pending_ = part;
  }

  void flush() {
    if (pending_.begin == pending_.end) return;
    const auto text = piece_.text.substr(pending_.begin, pending_.end - pending_.begin);
    sink_({text, piece_.first && pending_.begin == 0});
    pending_ = {};
  }

 private:
  bool joins(const Part& part) const {
    switch (behavior_) {
      case Behavior::kMergedWithPrevious:
        return part.match && !pending_.match;
      case Behavior::kMergedWithNext:
        return pending_.match && !part.match;
      case Behavior::kContiguous:
        return pending_.match == part.match;
      default:
        return false;
    }
  }

  const Piece& piece_;
  Behavior behavior_;
  PieceSink sink_;
  Part pending_;  // empty: nothing waits
};

// Cuts `piece` at what find(text, match) reports.
template <typename Find>
void split_at(const Piece& piece, Behavior behavior, bool invert, PieceSink sink,
              const Find& find) {
  PartJoiner joiner(piece, behavior, sink);
  size_t done = 0;
  find(piece.text, [&](size_t begin, size_t end) {
    joiner.add({done, begin, invert});
    joiner.add({begin, end, !invert});
    done = end;
  });
  joiner.add({done, piece.text.size(), invert});
  joiner.flush();
}

class Split : public PreTokenizer {
 public:
  explicit Split(JsonObject config)
      : pattern_(config),
        behavior_(read_behavior(config, "Isolated")),
        invert_(find_bool(config, "invert").value_or(false)) {}

  void split(const Piece& piece, PieceSink sink) const override {
    split_at(piece, behavior_, invert_, sink,
             [this](std::string_view text, FunctionRef<void(size_t, size_t)> match) {
               pattern_.for_each_match(text, match);
             });
  }

 private:
  Pattern pattern_;
  Behavior behavior_;
  bool invert_;
};

class ByteLevel : public PreTokenizer {
 public:
  explicit ByteLevel(JsonObject config)
      : add_prefix_space_(find_bool(config, "add_prefix_space").value_or(true)),
        use_regex_(find_bool(config, "use_regex").value_or(true)) {}

  void split(const Piece& piece, PieceSink sink) const override {
    if (add_prefix_space_ && !piece.text.starts_with(' ')) {
      std::string prefixed(1, ' ');
      prefixed += piece.text;
      cut({prefixed, piece.first}, sink);
    } else {
      cut(piece, sink);
    }
  }

 private:
  void cut(const Piece& piece, PieceSink sink) const {
    if (!use_regex_) return sink(piece);
    scan_words(Scanner::kGpt2, piece.text, [&](size_t begin, size_t end) {
      sink({piece.text.substr(begin, end - begin), piece.first && begin == 0});
    });
  }

  bool add_prefix_space_, use_regex_;
};

// Spells spaces as a visible character, puts one in front, and cuts before each.
class Metaspace : public PreTokenizer {
 public:
  explicit Metaspace(JsonObject config)
      : mark_(find_string(config, "replacement").value_or("▁")),
        split_(find_bool(config, "split").value_or(true)) {
    const bool legacy = find_bool(config, "add_prefix_space").value_or(true);
    const auto scheme = find_string(config, "prepend_scheme").value_or(legacy ? "always" : "never");
    if (scheme != "always" && scheme != "never" && scheme != "first") {
      throw bad_input("\"prepend_scheme\": unknown value \"{}\"", scheme);
    }
    always_ = scheme == "always", first_ = scheme == "first";
    if (mark_.empty()) throw bad_input("\"replacement\" is empty");
  }

  void split(const Piece& piece, PieceSink sink) const override {
    std::string marked;
    marked.reserve(piece.text.size() * 3 / 2 + mark_.size());
    for (const char c : piece.text) c == ' ' ? marked.append(mark_) : marked.append(1, c);
    if ((always_ || (first_ && piece.first)) && !marked.starts_with(mark_)) {
      marked.insert(0, mark_);
    }
    const Piece whole{marked, piece.first};
    if (!split_) return sink(whole);
    static constexpr auto kBehavior = Behavior::kMergedWithNext;
    split_at(whole, kBehavior, false, sink,
             [this](std::string_view text, FunctionRef<void(size_t, size_t)> match) {
               Pattern::for_each_literal(text, mark_, match);
             });
  }

 private:
  std::string mark_;
  bool split_, always_ = false, first_ = false;
};

// Cuts at characters of some classes: Digits, WhitespaceSplit, Punctuation.
class ClassSplit : public PreTokenizer {
 public:
  ClassSplit(uint8_t classes, Behavior behavior) : classes_(classes), behavior_(behavior) {}

  void split(const Piece& piece, PieceSink sink) const override {
    split_at(piece, behavior_, false, sink, [this](std::string_view text, const auto& match) {
      for (size_t at = 0; at < text.size();) {
        const Utf8Char c = utf8_front(text.substr(at));
        if (char_class(c.code_point) & classes_) match(at, at + c.bytes);
        at += c.bytes;
      }
    });
  }

 private:
  uint8_t classes_;
  Behavior behavior_;
};

// \w+|[^\w\s]+ : runs of word characters and runs of the rest; white space goes.
class Whitespace : public PreTokenizer {
 public:
  void split(const Piece& piece, PieceSink sink) const override {
    enum Kind { kWord, kOther, kBlank };
    const auto kind_at = [&](const Utf8Char& c) {
      const uint8_t classes = char_class(c.code_point);
      return classes & kWordChar ? kWord : classes & kSpace ? kBlank : kOther;
    };
    size_t begin = 0;
    Kind kind = kBlank;
    for (size_t at = 0; at <= piece.text.size();) {
      const bool done = at == piece.text.size();
      const Utf8Char c = done ? Utf8Char{' ', 1, true} : utf8_front(piece.text.substr(at));
      if (kind_at(c) != kind || done) {
        if (kind != kBlank) sink({piece.text.substr(begin, at - begin), piece.first && begin == 0});
        begin = at, kind = kind_at(c);
      }
      at += c.bytes;
    }
  }
};

std::unique_ptr<PreTokenizer> make_pre_tokenizer(JsonObject config) {
  const std::string_view type = component_type(config);
  if (type == "ByteLevel") return std::make_unique<ByteLevel>(config);
  if (type == "Split") return std::make_unique<Split>(config);
  if (type == "Metaspace") return std::make_unique<Metaspace>(config);
  if (type == "Whitespace") return std::make_unique<Whitespace>();
  if (type == "WhitespaceSplit") return std::make_unique<ClassSplit>(kSpace, Behavior::kRemoved);
  if (type == "Punctuation") {
    return std::make_unique<ClassSplit>(kPunctuation, read_behavior(config, "Isolated"));
  }
  if (type == "Digits") {
    const bool individual = find_bool(config, "individual_digits").value_or(false);
    return std::make_unique<ClassSplit>(kNumber,
                                        individual ? Behavior::kIsolated : Behavior::kContiguous);
  }
  throw bad_input("pre-tokenizer of type \"{}\", which is not supported", type);
}

}  // namespace

PreTokenizerChain::PreTokenizerChain(JsonObject config) {
  for (const JsonObject& step : flatten_components(config, "pretokenizers")) {
    steps_.push_back(make_pre_tokenizer(step));
  }
}

void PreTokenizerChain::split_from(size_t step, const Piece& piece, PieceSink sink) const {
  if (piece.text.empty()) return;
  if (step == steps_.size()) return sink(piece);
  steps_[step]->split(piece, [&](const Piece& part) { split_from(step + 1, part, sink); });
}

}  // namespace nibble
