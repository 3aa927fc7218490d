#include "model/reference.h"

#include <cmath>

namespace nibble {
namespace {

using Vector = std::vector<double>;

struct Matrix {
  std::vector<float> values;  // [rows, cols]
  size_t rows = 0, cols = 0;

  Vector row(size_t r) const {
    return Vector(values.begin() + ptrdiff_t(r * cols), values.begin() + ptrdiff_t((r + 1) * cols));
  }
  Vector times(const Vector& x) const {
    Vector y(rows);
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cols; ++c) y[r] += double(values[r * cols + c]) * x[c];
    }
    return y;
  }
};

Matrix decode(const CheckpointTensor* tensor) {
  Matrix m;
  if (tensor == nullptr) return m;
  m.rows = tensor->info.rows();
  m.cols = tensor->info.row_size();
  m.values.resize(tensor->info.elements());
  tensor->info.format->decode(tensor->bytes.data(), m.values.size(), m.values.data());
  return m;
}

void add(Vector& x, const Vector& y) {
  for (size_t i = 0; i < y.size(); ++i) x[i] += y[i];
}

// Root mean square norm of x[begin, begin + weight.size()).
void normalize(Vector& x, size_t begin, const Vector& weight, double epsilon) {
  double sum = 0;
  for (size_t i = 0; i < weight.size(); ++i) sum += x[begin + i] * x[begin + i];
  const double scale = 1 / std::sqrt(sum / double(weight.size()) + epsilon);
  for (size_t i = 0; i < weight.size(); ++i) x[begin + i] *= scale * weight[i];
}

class Reference {
 public:
  explicit Reference(const Checkpoint& c)
      : c_(c), h_(c.hyperparameters()), frequencies_(inverse_frequencies(h_)) {}

  std::vector<Vector> logits(std::span<const TokenId> tokens) {
    const Matrix embedding = decode(c_.find(Role::kTokenEmbedding));
    std::vector<Vector> x;
    for (const TokenId id : tokens) x.push_back(embedding.row(size_t(id)));
    for (uint64_t i = 0; i < h_.layers; ++i) {
      attention(x, int64_t(i));
      feed_forward(x, int64_t(i));
    }
    const Matrix output = c_.find(Role::kOutput) ? decode(c_.find(Role::kOutput)) : embedding;
    for (auto& row : x) {
      normalize(row, 0, vector(Role::kOutputNorm, -1), h_.norm_epsilon);
      row = output.times(row);
    }
    return x;
  }

 private:
  Vector vector(Role role, int64_t layer) const {
    const Matrix m = decode(c_.find(role, layer));
    return Vector(m.values.begin(), m.values.end());
  }

  // All rows through one linear layer.
  std::vector<Vector> project(const std::vector<Vector>& x, Role role, int64_t layer,
                              std::optional<Role> bias = {}) const {
    const Matrix w = decode(c_.find(role, layer));
    const Vector b = bias ? vector(*bias, layer) : Vector();
    std::vector<Vector> y;
    for (const auto& row : x) {
      y.push_back(w.times(row));
      add(y.back(), b);
    }
    return y;
  }

  std::vector<Vector> normed(const std::vector<Vector>& x, Role role, int64_t layer) const {
    std::vector<Vector> y = x;
    const Vector weight = vector(role, layer);
    for (auto& row : y) normalize(row, 0, weight, h_.norm_epsilon);
    return y;
  }

  void rotate(Vector& x, size_t heads, double position) const {
    const size_t half = frequencies_.size();
    const double magnitude = rope_magnitude(h_);
    for (size_t head = 0; head < heads; ++head) {
      for (size_t i = 0; i < half; ++i) {
        const size_t base = head * h_.head_dim;
        const size_t first = base + (c_.rotates_neighbours() ? 2 * i : i);
        const size_t second = c_.rotates_neighbours() ? first + 1 : first + half;
        const double angle = position * double(frequencies_[i]);
        const double cosine = std::cos(angle) * magnitude, sine = std::sin(angle) * magnitude;
        const double a = x[first], b = x[second];
        x[first] = a * cosine - b * sine;
        x[second] = a * sine + b * cosine;
      }
    }
  }

  void prepare_heads(std::vector<Vector>& x, size_t heads, Role norm, int64_t layer) const {
    const Vector weight = vector(norm, layer);
    for (size_t t = 0; t < x.size(); ++t) {
      for (size_t head = 0; head < heads && !weight.empty(); ++head) {
        normalize(x[t], head * h_.head_dim, weight, h_.norm_epsilon);
      }
      rotate(x[t], heads, double(t));
    }
  }

  void attention(std::vector<Vector>& x, int64_t layer) const {
    const auto input = normed(x, Role::kAttentionNorm, layer);
    auto q = project(input, Role::kQuery, layer, Role::kQueryBias);
    auto k = project(input, Role::kKey, layer, Role::kKeyBias);
    const auto v = project(input, Role::kValue, layer, Role::kValueBias);
    prepare_heads(q, h_.heads, Role::kQueryNorm, layer);
    prepare_heads(k, h_.kv_heads, Role::kKeyNorm, layer);
    std::vector<Vector> attended(x.size(), Vector(h_.heads * h_.head_dim));
    for (size_t t = 0; t < x.size(); ++t) {
      for (size_t head = 0; head < h_.heads; ++head) attend(q, k, v, t, head, attended[t]);
    }
    const auto out = project(attended, Role::kAttentionOutput, layer, Role::kAttentionOutputBias);
    for (size_t t = 0; t < x.size(); ++t) add(x[t], out[t]);
  }

  void attend(const std::vector<Vector>& q, const std::vector<Vector>& k,
              const std::vector<Vector>& v, size_t t, size_t head, Vector& out) const {
    const size_t d = h_.head_dim, at = head * d;
    const size_t kv_at = head / (h_.heads / h_.kv_heads) * d;
    const size_t window = h_.sliding_window;
    const size_t begin = window != 0 && t + 1 > window ? t + 1 - window : 0;
    Vector weight(t + 1);
    double total = 0;
    for (size_t s = begin; s <= t; ++s) {
      double dot = 0;
      for (size_t i = 0; i < d; ++i) dot += q[t][at + i] * k[s][kv_at + i];
      weight[s] = std::exp(dot / std::sqrt(double(d)));
      total += weight[s];
    }
    for (size_t s = begin; s <= t; ++s) {
      for (size_t i = 0; i < d; ++i) out[at + i] += weight[s] / total * v[s][kv_at + i];
    }
  }

  void feed_forward(std::vector<Vector>& x, int64_t layer) const {
    const auto input = normed(x, Role::kFfnNorm, layer);
    auto gate = project(input, Role::kFfnGate, layer);
    const auto up = project(input, Role::kFfnUp, layer);
    for (size_t t = 0; t < x.size(); ++t) {
      for (size_t i = 0; i < gate[t].size(); ++i) {
        gate[t][i] *= up[t][i] / (1 + std::exp(-gate[t][i]));
      }
    }
    const auto out = project(gate, Role::kFfnDown, layer);
    for (size_t t = 0; t < x.size(); ++t) add(x[t], out[t]);
  }

  const Checkpoint& c_;
  const Hyperparameters& h_;
  std::vector<float> frequencies_;
};

}  // namespace

std::vector<std::vector<double>> reference_logits(const Checkpoint& checkpoint,
                                                  std::span<const TokenId> tokens) {
  return Reference(checkpoint).logits(tokens);
}

}  // namespace nibble
