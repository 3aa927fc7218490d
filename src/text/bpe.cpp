#include "text/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>
#include <queue>

#include "base/error.h"
#include "text/byte_level.h"
#include "text/utf8.h"

namespace nibble {
namespace {

constexpr uint32_t kNoRank = UINT32_MAX;

// What a pair becomes, and how early.
struct Join {
  uint32_t rank = kNoRank;
  TokenId id = -1;
};

// A stretch of the word. `join` is with its right neighbour.
struct Symbol {
  uint32_t begin;
  TokenId id;
  Join join;
};

// Pair of ids → Join: open addressing, a power of two, at most half full.
class PairTable {
 public:
  explicit PairTable(size_t pairs) : slots_(std::bit_ceil(2 * pairs + 2)) {}

  void insert(TokenId left, TokenId right, Join join) {
    Slot& slot = slots_[find_slot(key(left, right))];
    if (slot.key == kEmpty) slot = {key(left, right), join};
  }
  Join find(TokenId left, TokenId right) const {
    if (left < 0 || right < 0) return {};
    return slots_[find_slot(key(left, right))].join;
  }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;
  struct Slot {
    uint64_t key = kEmpty;
    Join join;
  };

  static uint64_t key(TokenId left, TokenId right) {
    return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
  }
  size_t find_slot(uint64_t wanted) const {
    const size_t mask = slots_.size() - 1;
    size_t at = size_t((wanted * 0x9E3779B97F4A7C15u) >> 32) & mask;
    while (slots_[at].key != wanted && slots_[at].key != kEmpty) at = (at + 1) & mask;
    return at;
  }

  std::vector<Slot> slots_;
};

// Merges in a word of a few symbols: find the best pair, close the gap, again. `symbols[count]` is
// a sentinel whose begin is the end of the word. Returns how many symbols are left.
template <typename Find>
size_t merge_short(Symbol* symbols, size_t count, const Find& find) {
  const auto look = [&](size_t i) {
    return i + 1 < count ? find(symbols[i], symbols[i + 1], symbols[i + 2].begin) : Join{};
  };
  for (size_t i = 0; i < count; ++i) symbols[i].join = look(i);
  while (count > 1) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (symbols[i].join.rank < symbols[best].join.rank) best = i;
    }
    if (symbols[best].join.rank == kNoRank) break;
    symbols[best].id = symbols[best].join.id;
    std::memmove(symbols + best + 1, symbols + best + 2, (count - best - 1) * sizeof(Symbol));
    --count;
    symbols[best].join = look(best);
    if (best > 0) symbols[best - 1].join = look(best - 1);
  }
  return count;
}

// The same for long words in O(n log n): the symbols form a linked list, candidates wait in a heap
// ordered by (rank, place), and one that no longer holds is dropped when it comes up.
template <typename Find>
class LongMerge {
 public:
  LongMerge(std::vector<Symbol>* symbols, size_t count, const Find& find)
      : symbols_(*symbols), count_(count), find_(find), next_(count + 1), previous_(count + 1) {
    for (size_t i = 0; i <= count; ++i) {
      next_[i] = uint32_t(i + 1), previous_[i] = uint32_t(i - 1);
    }
  }

  size_t run() {
    std::vector<uint64_t> initial;
    for (size_t i = 0; i + 1 < count_; ++i) {
      if (look(uint32_t(i))) initial.push_back(candidate(uint32_t(i)));
    }
    Heap heap(std::greater<>(), std::move(initial));
    while (!heap.empty()) {
      const uint64_t top = heap.top();
      heap.pop();
      const uint32_t at = uint32_t(top);
      if (symbols_[at].join.rank != uint32_t(top >> 32)) continue;
      merge(at);
      if (look(at)) heap.push(candidate(at));
      if (at > 0 && look(previous_[at])) heap.push(candidate(previous_[at]));
    }
    return compact();
  }

 private:
  using Heap = std::priority_queue<uint64_t, std::vector<uint64_t>, std::greater<>>;

  uint64_t candidate(uint32_t at) const { return uint64_t(symbols_[at].join.rank) << 32 | at; }

  // Finds the join of a symbol with its right neighbour; false when there is none.
  bool look(uint32_t at) {
    const uint32_t right = next_[at];
    Symbol& symbol = symbols_[at];
    symbol.join =
        right >= count_ ? Join{} : find_(symbol, symbols_[right], symbols_[next_[right]].begin);
    return symbol.join.rank != kNoRank;
  }

  void merge(uint32_t at) {
    const uint32_t gone = next_[at], after = next_[gone];
    symbols_[at].id = symbols_[at].join.id;
    symbols_[gone].join = {};
    next_[at] = after;
    previous_[after] = at;
  }

  size_t compact() {
    size_t kept = 0;
    for (uint32_t at = 0; at < count_; at = next_[at]) symbols_[kept++] = symbols_[at];
    symbols_[kept].begin = symbols_[count_].begin;
    return kept;
  }

  std::vector<Symbol>& symbols_;
  size_t count_;
  const Find& find_;
  std::vector<uint32_t> next_, previous_;
};

constexpr size_t kShortWord = 48;  // bytes; up to here the quadratic loop wins
constexpr size_t kLongestWord = size_t(16) << 20;

// Cuts words so long that memory would suffer, merges, and hands every symbol that remains to
// emit(text, id). `start(word, symbols)` fills in the first symbols and returns their number.
template <typename Start, typename Find, typename Emit>
void merge_word(std::string_view word, const Start& start, const Find& find, const Emit& emit) {
  const auto run = [&](std::string_view part, Symbol* symbols, auto merge) {
    const size_t count = start(part, symbols);
    symbols[count].begin = uint32_t(part.size());
    const size_t kept = merge(count);
    for (size_t i = 0; i < kept; ++i) {
      const uint32_t begin = symbols[i].begin, end = symbols[i + 1].begin;
      emit(part.substr(begin, end - begin), symbols[i].id);
    }
  };
  while (!word.empty()) {
    std::string_view part = word.substr(0, kLongestWord);
    if (part.size() < word.size()) part.remove_suffix(unfinished_utf8_suffix(part));
    const auto find_in_part = [&](const Symbol& left, const Symbol& right, uint32_t end) {
      return find(part, left, right, end);
    };
    if (part.size() <= kShortWord) {
      std::array<Symbol, kShortWord + 1> symbols;
      run(part, symbols.data(),
          [&](size_t count) { return merge_short(symbols.data(), count, find_in_part); });
    } else {
      std::vector<Symbol> symbols(part.size() + 1);
      run(part, symbols.data(),
          [&](size_t count) { return LongMerge(&symbols, count, find_in_part).run(); });
    }
    word.remove_prefix(part.size());
  }
}

// One symbol for each character.
template <typename Id>
size_t start_with_characters(std::string_view word, Symbol* symbols, const Id& id) {
  size_t count = 0;
  for (size_t at = 0; at < word.size();) {
    const size_t bytes = utf8_front(word.substr(at)).bytes;
    symbols[count++] = {uint32_t(at), id(word.substr(at, bytes)), {}};
    at += bytes;
  }
  return count;
}

// Appends tokens for symbols that ended as no piece.
class FallbackWriter {
 public:
  FallbackWriter(const Fallback& fallback, const ByteTokens& bytes, std::vector<TokenId>* out)
      : fallback_(fallback), bytes_(bytes), out_(out) {}

  void add_known(TokenId id) {
    out_->push_back(id);
    after_unknown_ = false;
  }
  void add_unknown(std::string_view text) {
    if (fallback_.bytes && bytes_.append(text, out_)) {
      after_unknown_ = false;
    } else if (fallback_.unknown >= 0 && !(after_unknown_ && fallback_.fuse_unknown)) {
      out_->push_back(fallback_.unknown);
      after_unknown_ = true;
    }
  }

 private:
  const Fallback& fallback_;
  const ByteTokens& bytes_;
  std::vector<TokenId>* out_;
  bool after_unknown_ = false;
};

class MergeBpe : public WordModel {
 public:
  MergeBpe(const Vocabulary& vocabulary, const std::vector<Merge>& merges,
           const BpeOptions& options)
      : vocabulary_(vocabulary), options_(options), pairs_(merges.size()), bytes_(vocabulary) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string text;
      append_utf8(byte_level_char(uint8_t(byte)), &text);
      byte_symbols_[size_t(byte)] = vocabulary.find(text);
    }
    uint32_t rank = 0;
    for (const Merge& merge : merges) {
      const std::string text =
          std::string(vocabulary.text(merge.left)) + std::string(vocabulary.text(merge.right));
      const TokenId merged = vocabulary.find(text);
      if (merged < 0) throw bad_input("merge {}: \"{}\" is not in the vocabulary", rank, text);
      pairs_.insert(merge.left, merge.right, {rank++, merged});
    }
  }

  void encode(std::string_view word, std::vector<TokenId>* out) const override {
    if (options_.ignore_merges && word.size() <= vocabulary_.longest_token()) {
      const TokenId id = options_.byte_level ? vocabulary_.find_piece(to_byte_level(word))
                                             : vocabulary_.find_piece(word);
      if (id >= 0) return out->push_back(id);
    }
    const auto find = [this](std::string_view, const Symbol& left, const Symbol& right, uint32_t) {
      return pairs_.find(left.id, right.id);
    };
    FallbackWriter writer(options_.fallback, bytes_, out);
    const auto emit = [&](std::string_view text, TokenId id) { write(text, id, &writer); };
    if (options_.byte_level) {
      merge_word(
          word, [this](auto part, auto* symbols) { return start_bytes(part, symbols); }, find,
          emit);
    } else {
      const auto id = [this](std::string_view text) { return vocabulary_.find_piece(text); };
      merge_word(
          word, [&](auto part, auto* symbols) { return start_with_characters(part, symbols, id); },
          find, emit);
    }
  }

 private:
  size_t start_bytes(std::string_view word, Symbol* symbols) const {
    for (size_t i = 0; i < word.size(); ++i) {
      symbols[i] = {uint32_t(i), byte_symbols_[uint8_t(word[i])], {}};
    }
    return word.size();
  }

  bool is_piece(TokenId id) const { return id >= 0 && vocabulary_.is_piece(id); }

  void write(std::string_view text, TokenId id, FallbackWriter* writer) const {
    if (is_piece(id)) return writer->add_known(id);
    if (!options_.byte_level) return writer->add_unknown(text);
    // A merge led to what ordinary text may not become (a control token): its bytes instead.
    for (const char c : text) {
      const TokenId byte = byte_symbols_[uint8_t(c)];
      is_piece(byte) ? writer->add_known(byte) : writer->add_unknown({&c, 1});
    }
  }

  const Vocabulary& vocabulary_;
  BpeOptions options_;
  PairTable pairs_;
  ByteTokens bytes_;
  std::array<TokenId, 256> byte_symbols_;
};

class ScoreBpe : public WordModel {
 public:
  ScoreBpe(const Vocabulary& vocabulary, const Fallback& fallback)
      : vocabulary_(vocabulary), fallback_(fallback), bytes_(vocabulary) {
    std::vector<TokenId> order(vocabulary.size());
    std::iota(order.begin(), order.end(), 0);
    std::sort(order.begin(), order.end(),
              [&](TokenId a, TokenId b) { return vocabulary.score(a) > vocabulary.score(b); });
    ranks_.resize(order.size());
    uint32_t rank = 0;
    for (size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && vocabulary.score(order[i]) != vocabulary.score(order[i - 1])) ++rank;
      ranks_[size_t(order[i])] = rank;
    }
  }

  void encode(std::string_view word, std::vector<TokenId>* out) const override {
    const auto id = [this](std::string_view text) { return vocabulary_.find_piece(text); };
    const auto find = [this](std::string_view part, const Symbol& left, const Symbol&,
                             uint32_t end) -> Join {
      if (end - left.begin > vocabulary_.longest_token()) return {};
      const TokenId joined = vocabulary_.find_piece(part.substr(left.begin, end - left.begin));
      return joined < 0 ? Join{} : Join{ranks_[size_t(joined)], joined};
    };
    FallbackWriter writer(fallback_, bytes_, out);
    merge_word(
        word, [&](auto part, auto* symbols) { return start_with_characters(part, symbols, id); },
        find,
        [&](std::string_view text, TokenId piece) {
          piece >= 0 ? writer.add_known(piece) : writer.add_unknown(text);
        });
  }

 private:
  const Vocabulary& vocabulary_;
  Fallback fallback_;
  ByteTokens bytes_;
  std::vector<uint32_t> ranks_;  // tokens of the same score share a rank
};

}  // namespace

std::unique_ptr<WordModel> make_merge_bpe(const Vocabulary& vocabulary,
                                          const std::vector<Merge>& merges,
                                          const BpeOptions& options) {
  return std::make_unique<MergeBpe>(vocabulary, merges, options);
}

std::unique_ptr<WordModel> make_score_bpe(const Vocabulary& vocabulary, const Fallback& fallback) {
  return std::make_unique<ScoreBpe>(vocabulary, fallback);
}

}  // namespace nibble
