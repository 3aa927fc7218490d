#include "text/unigram.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "text/prefix_index.h"
#include "text/utf8.h"

namespace nibble {
namespace {

constexpr size_t kMaxPieceBytes = 1024;
constexpr double kUnknownPenalty = 10;

std::vector<PrefixIndex::Entry> pieces_of(const Vocabulary& vocabulary) {
  std::vector<PrefixIndex::Entry> pieces;
  for (TokenId id = 0; size_t(id) < vocabulary.size(); ++id) {
    if (!vocabulary.is_piece(id)) continue;
    if (vocabulary.text(id).size() > kMaxPieceBytes) {
      throw bad_input("token {}: a Unigram piece of {} bytes; at most {} are read", id,
                      vocabulary.text(id).size(), kMaxPieceBytes);
    }
    pieces.push_back({vocabulary.text(id), id});
  }
  return pieces;
}

class Unigram : public WordModel {
 public:
  Unigram(const Vocabulary& vocabulary, const Fallback& fallback)
      : vocabulary_(vocabulary),
        fallback_(fallback),
        bytes_(vocabulary),
        pieces_(pieces_of(vocabulary)) {
    double least = 0;
    bool any = false;
    for (TokenId id = 0; size_t(id) < vocabulary.size(); ++id) {
      if (vocabulary.type(id) != TokenType::kNormal) continue;
      least = any ? std::min(least, double(vocabulary.score(id))) : double(vocabulary.score(id));
      any = true;
    }
    unknown_score_ = least - kUnknownPenalty;
  }

  void encode(std::string_view word, std::vector<TokenId>* out) const override {
    constexpr size_t kLongestWord = size_t(16) << 20;
    while (!word.empty()) {
      std::string_view part = word.substr(0, kLongestWord);
      if (part.size() < word.size()) part.remove_suffix(unfinished_utf8_suffix(part));
      encode_part(part, out);
      word.remove_prefix(part.size());
    }
  }

 private:
  // The best way to reach a place in the word.
  struct Place {
    double score = -std::numeric_limits<double>::infinity();
    uint32_t from = 0;
    TokenId id = -1;
    bool reached = false;
  };

  void encode_part(std::string_view word, std::vector<TokenId>* out) const {
    std::vector<Place> places(word.size() + 1);
    places[0] = {0, 0, -1, true};
    for (size_t at = 0; at < word.size();) {
      const size_t character = utf8_front(word.substr(at)).bytes;
      if (places[at].reached) extend(word, at, character, &places);
      at += character;
    }
    write(word, places, out);
  }

  void extend(std::string_view word, size_t at, size_t character,
              std::vector<Place>* places) const {
    bool covered = false;
    const auto reach = [&](size_t length, double score, TokenId id) {
      Place& place = (*places)[at + length];
      const double total = (*places)[at].score + score;
      if (!place.reached || total > place.score) place = {total, uint32_t(at), id, true};
    };
    pieces_.for_each_prefix(word.substr(at), [&](size_t length, TokenId id) {
      covered |= length == character;
      reach(length, vocabulary_.score(id), id);
    });
    if (!covered) reach(character, unknown_score_, -1);
  }

  void write(std::string_view word, const std::vector<Place>& places,
             std::vector<TokenId>* out) const {
    std::vector<uint32_t> ends;
    for (size_t end = word.size(); end > 0; end = places[end].from) ends.push_back(uint32_t(end));
    bool after_unknown = false;
    for (auto end = ends.rbegin(); end != ends.rend(); ++end) {
      const Place& place = places[*end];
      if (place.id >= 0) {
        out->push_back(place.id);
        after_unknown = false;
      } else if (fallback_.bytes &&
                 bytes_.append(word.substr(place.from, *end - place.from), out)) {
        after_unknown = false;
      } else if (fallback_.unknown >= 0 && !after_unknown) {
        out->push_back(fallback_.unknown);
        after_unknown = true;
      }
    }
  }

  const Vocabulary& vocabulary_;
  Fallback fallback_;
  ByteTokens bytes_;
  PrefixIndex pieces_;
  double unknown_score_ = 0;
};

}  // namespace

std::unique_ptr<WordModel> make_unigram(const Vocabulary& vocabulary, const Fallback& fallback) {
  return std::make_unique<Unigram>(vocabulary, fallback);
}

}  // namespace nibble
