#include <cmath>

#include "base/half.h"
#include "kernels/fixtures.h"
#include "kernels/ops.h"

namespace nibble::test {
namespace {

struct Shape {
  size_t tokens, heads, kv_heads, head_dim, first_position, window;
};

struct Case {
  Shape shape;
  std::vector<float> q, keys, values;  // keys and values are exact in f16
  std::vector<uint16_t> half_keys, half_values;

  KvView view(KvType type) const {
    if (type == KvType::kF16) return {type, half_keys.data(), half_values.data()};
    return {type, keys.data(), values.data()};
  }
};

Case make_case(Random& random, const Shape& s, double size = 1) {
  Case c{s, normal_values(random, s.tokens * s.heads * s.head_dim, size), {}, {}, {}, {}};
  const size_t n = (s.first_position + s.tokens) * s.kv_heads * s.head_dim;
  c.keys = normal_values(random, n, size);
  c.values = normal_values(random, n);
  const auto round = [](std::vector<float>& values, std::vector<uint16_t>& halves) {
    for (float& x : values) {
      halves.push_back(f32_to_f16(x));
      x = f16_to_f32(halves.back());
    }
  };
  round(c.keys, c.half_keys);
  round(c.values, c.half_values);
  return c;
}

std::vector<float> run(const Case& c, KvType type, unsigned threads) {
  const Shape& s = c.shape;
  ThreadPool pool(threads);
  std::vector<float> out(c.q.size());
  const size_t cols = s.heads * s.head_dim;
  attention({c.q.data(), s.tokens, cols}, c.view(type), s.heads, s.kv_heads, s.head_dim,
            s.first_position, s.window, float(1 / std::sqrt(double(s.head_dim))),
            {out.data(), s.tokens, cols}, pool);
  return out;
}

// One head of one token in double: softmax of the scores, then the weighted values.
std::vector<double> exact_row(const Case& c, size_t t, size_t h) {
  const Shape& s = c.shape;
  const size_t end = s.first_position + t + 1;
  const size_t begin = s.window == 0 || end <= s.window ? 0 : end - s.window;
  const double scale = double(float(1 / std::sqrt(double(s.head_dim))));
  const float* q = &c.q[(t * s.heads + h) * s.head_dim];
  const auto at = [&](size_t p) {
    return (p * s.kv_heads + h / (s.heads / s.kv_heads)) * s.head_dim;
  };
  std::vector<double> scores;
  double largest = -1e300, sum = 0;
  for (size_t p = begin; p < end; ++p) {
    double score = 0;
    for (size_t d = 0; d < s.head_dim; ++d) score += double(q[d]) * double(c.keys[at(p) + d]);
    scores.push_back(score * scale);
    largest = std::max(largest, scores.back());
  }
  std::vector<double> out(s.head_dim);
  for (double& score : scores) sum += score = std::exp(score - largest);
  for (size_t p = begin; p < end; ++p) {
    for (size_t d = 0; d < s.head_dim; ++d) {
      out[d] += scores[p - begin] / sum * double(c.values[at(p) + d]);
    }
  }
  return out;
}

void expect_exact(const Case& c, double tolerance) {
  const Shape& s = c.shape;
  for (const KvType type : {KvType::kF32, KvType::kF16}) {
    const std::vector<float> out = run(c, type, 2);
    for (size_t t = 0; t < s.tokens; ++t) {
      for (size_t h = 0; h < s.heads; ++h) {
        const std::vector<double> exact = exact_row(c, t, h);
        for (size_t d = 0; d < s.head_dim; ++d) {
          ASSERT_NEAR(out[(t * s.heads + h) * s.head_dim + d], exact[d], tolerance)
              << s.tokens << " tokens, heads " << s.heads << "/" << s.kv_heads << " of "
              << s.head_dim << " after " << s.first_position << ", window " << s.window
              << ": token " << t;
        }
      }
    }
  }
}

class Attention : public IsaTest {};
NIBBLE_ON_EVERY_ISA(Attention);

TEST_P(Attention, OfEveryGroupingAndHeadSizeIsExactToRounding) {
  Random random(1);
  for (const size_t group : {1, 2, 4, 8}) {
    for (const size_t head_dim : {32, 48, 64, 80, 128}) {
      for (const size_t tokens : {1, 3, 20}) {
        expect_exact(make_case(random, {tokens, 2 * group, 2, head_dim, 37, 0}), 3e-6);
      }
    }
  }
}

TEST_P(Attention, OfOddHeadSizesIsExactToRounding) {
  Random random(2);
  for (const size_t head_dim : {1, 2, 6, 17, 100}) {
    expect_exact(make_case(random, {2, 3, 1, head_dim, 5, 0}), 3e-6);
    expect_exact(make_case(random, {30, 3, 3, head_dim, 0, 0}), 3e-6);
  }
}

TEST_P(Attention, OverLongContextsIsExactToRounding) {
  Random random(3);
  for (const size_t first : {511, 512, 1023, 1500}) {
    expect_exact(make_case(random, {1, 4, 2, 32, first, 0}), 3e-6);
    expect_exact(make_case(random, {8, 4, 2, 32, first, 0}), 3e-6);
    expect_exact(make_case(random, {9, 4, 1, 32, first, 0}), 3e-6);
  }
  expect_exact(make_case(random, {150, 4, 2, 32, 0, 0}), 3e-6);
}

TEST_P(Attention, WithAWindowSeesTheLastPositionsOnly) {
  Random random(4);
  for (const size_t window : {1, 2, 5, 64, 100, 600}) {
    expect_exact(make_case(random, {1, 2, 1, 32, 700, window}), 3e-6);
    expect_exact(make_case(random, {7, 2, 1, 32, 700, window}), 3e-6);
    expect_exact(make_case(random, {130, 2, 1, 32, 3, window}), 3e-6);
  }
}

TEST_P(Attention, HoldsWhereOneScoreDrownsTheOthers) {
  Random random(5);
  // Scores of some hundreds: all but one or two of the weights underflow.
  expect_exact(make_case(random, {1, 4, 2, 64, 600, 0}, 8), 5e-5);
  expect_exact(make_case(random, {70, 4, 2, 64, 10, 0}, 8), 5e-5);
}

TEST_P(Attention, GivesTheSameBytesWithAnyNumberOfThreads) {
  Random random(6);
  for (const Shape& s :
       {Shape{1, 8, 2, 64, 2000, 0}, Shape{5, 8, 2, 64, 1000, 0}, Shape{100, 8, 2, 64, 50, 0}}) {
    const Case c = make_case(random, s);
    const std::vector<float> one = run(c, KvType::kF16, 1);
    EXPECT_EQ(one, run(c, KvType::kF16, 2));
    EXPECT_EQ(one, run(c, KvType::kF16, 3));
  }
}

}  // namespace
}  // namespace nibble::test
