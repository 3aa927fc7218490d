#include "eval/windows.h"

#include <numeric>

#include "base/error.h"
#include "support/support.h"

namespace nibble {
namespace {

class Windows : public testing::Test {
 protected:
  Windows() : tokenizer_(load_tokenizer(test::shipped_model())), text_(1000) {
    std::iota(text_.begin(), text_.end(), 100);
  }
  std::vector<Window> cut(const WindowOptions& options) {
    return cut_windows(text_, *tokenizer_, options);
  }

  std::unique_ptr<Tokenizer> tokenizer_;
  std::vector<TokenId> text_;
};

// llama.cpp's perplexity tool: n_ctx - 1 - n_ctx / 2 tokens of every full window count.
TEST_F(Windows, SecondHalfScoresAsLlamaCppDoes) {
  const auto windows = cut({.context = 256});
  ASSERT_EQ(windows.size(), 3u);  // 1000 / 256; the rest is left out
  for (size_t i = 0; i < windows.size(); ++i) {
    EXPECT_EQ(windows[i].tokens.size(), 256u);
    EXPECT_EQ(windows[i].tokens[0], tokenizer_->special().bos);
    EXPECT_EQ(windows[i].tokens[1], text_[i * 256 + 1]);
    EXPECT_EQ(windows[i].first_scored, 128u);
    EXPECT_EQ(windows[i].scored(), 127u);
  }
}

TEST_F(Windows, AllScoresEveryTokenOfTheTextOnce) {
  const auto windows = cut({.context = 256, .protocol = ScoreProtocol::kAll});
  std::vector<TokenId> scored;
  for (const auto& window : windows) {
    EXPECT_EQ(window.tokens[0], tokenizer_->special().bos);
    EXPECT_LE(window.tokens.size(), 256u);
    const auto first = window.tokens.begin() + ptrdiff_t(window.first_scored) + 1;
    scored.insert(scored.end(), first, window.tokens.end());
  }
  EXPECT_EQ(scored, text_);
}

TEST_F(Windows, AsManyAsAskedFor) {
  EXPECT_EQ(cut({.context = 100, .max_windows = 2}).size(), 2u);
  EXPECT_EQ(cut({.context = 100, .max_windows = 50}).size(), 10u);
}

TEST_F(Windows, ATextTooShortIsAnError) {
  EXPECT_THROW(cut({.context = 2048}), Error);
  EXPECT_THROW(cut({.context = 2}), Error);
}

}  // namespace
}  // namespace nibble
