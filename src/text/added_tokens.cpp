#include "text/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "text/unicode.h"
#include "text/utf8.h"

namespace nibble {
namespace {

// The last character of `text`. REQUIRES !text.empty().
Utf8Char utf8_back(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(4, text.size()); ++length) {
    const Utf8Char c = utf8_front(text.substr(text.size() - length));
    if (c.valid && c.bytes == length) return c;
  }
  return {kReplacement, 1, false};
}

bool is_word(const Utf8Char& c) { return (char_class(c.code_point) & kWordChar) != 0; }
bool is_space(const Utf8Char& c) { return (char_class(c.code_point) & kSpace) != 0; }

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  return (begin == 0 || !is_word(utf8_back(text.substr(0, begin)))) &&
         (end == text.size() || !is_word(utf8_front(text.substr(end))));
}

std::vector<PrefixIndex::Entry> contents(const std::vector<AddedToken>& tokens) {
  constexpr size_t kMaxBytes = 1024;
  std::vector<PrefixIndex::Entry> entries;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].content.size() > kMaxBytes) {
      throw bad_input("added token {}: {} bytes; at most {} are read", tokens[i].id,
                      tokens[i].content.size(), kMaxBytes);
    }
    entries.push_back({tokens[i].content, TokenId(i)});
  }
  return entries;
}

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens)
    : tokens_(std::move(tokens)),
      index_(contents(tokens_)),
      any_ordinary_(std::any_of(tokens_.begin(), tokens_.end(),
                                [](const AddedToken& t) { return !t.special; })) {}

const AddedToken* AddedTokenMatcher::longest(std::string_view text, bool parse_special) const {
  const AddedToken* best = nullptr;
  index_.for_each_prefix(text, [&](size_t, TokenId place) {
    const AddedToken& token = tokens_[size_t(place)];
    if (parse_special || !token.special) best = &token;
  });
  return best;
}

void AddedTokenMatcher::split(std::string_view text, bool parse_special,
                              FunctionRef<void(std::string_view, TokenId)> part) const {
  size_t done = 0;
  const bool any = parse_special ? !tokens_.empty() : any_ordinary_;
  for (size_t at = 0; any && at < text.size();) {
    const AddedToken* token =
        index_.starts_any(uint8_t(text[at])) ? longest(text.substr(at), parse_special) : nullptr;
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at, end = at + token->content.size();
    at = end;
    if (token->single_word && !stands_alone(text, begin, end)) continue;
    while (token->lstrip && begin > done) {
      const Utf8Char c = utf8_back(text.substr(done, begin - done));
      if (!is_space(c)) break;
      begin -= c.bytes;
    }
    while (token->rstrip && end < text.size() && is_space(utf8_front(text.substr(end)))) {
      end += utf8_front(text.substr(end)).bytes;
    }
    if (begin > done) part(text.substr(done, begin - done), -1);
    part(text.substr(begin, end - begin), token->id);
    done = at = end;
  }
  if (done < text.size()) part(text.substr(done), -1);
}

}  // namespace nibble
