#include "arch/hyperparameters.h"

#include <charconv>
#include <cmath>

#include "arch/checks.h"
#include "base/error.h"

namespace nibble {

uint64_t in_range(std::string_view key, int64_t value, Range range) {
  if (value < range.min || value > range.max) {
    throw bad_input("\"{}\": expected {} to {}, got {}", key, range.min, range.max, value);
  }
  return uint64_t(value);
}

double positive(std::string_view key, double value, double max) {
  if (!(value > 0 && value <= max)) {  // false for NaN
    throw bad_input("\"{}\": expected more than 0 and at most {}, got {}", key, max, value);
  }
  return value;
}

namespace {

void check_scaling(const RopeScaling& scaling, const std::string& key) {
  if (scaling.kind == RopeScaling::Kind::kLlama3 &&
      !(scaling.high_freq_factor > scaling.low_freq_factor)) {
    throw bad_input("\"{}\": expected high_freq_factor above low_freq_factor, got {} and {}", key,
                    scaling.high_freq_factor, scaling.low_freq_factor);
  }
  if (scaling.kind == RopeScaling::Kind::kYarn && !(scaling.beta_fast > scaling.beta_slow)) {
    throw bad_input("\"{}\": expected beta_fast above beta_slow, got {} and {}", key,
                    scaling.beta_fast, scaling.beta_slow);
  }
}

}  // namespace

void check_agreement(const Hyperparameters& h, const KeyNames& names) {
  if (h.heads % h.kv_heads != 0) {
    throw bad_input("\"{}\": expected a divisor of \"{}\" {}, got {}", names.kv_heads, names.heads,
                    h.heads, h.kv_heads);
  }
  if (h.head_dim % 2 != 0) {
    throw bad_input("\"{}\": expected an even number, got {}", names.head_dim, h.head_dim);
  }
  if (h.heads * h.head_dim > uint64_t(kSizeRange.max)) {
    throw bad_input("\"{}\" {} times \"{}\" {}: expected at most {}", names.heads, h.heads,
                    names.head_dim, h.head_dim, kSizeRange.max);
  }
  if (h.rotary_dim != h.head_dim) {
    throw bad_input("\"{}\": heads that rotate only in part ({} of {}) are not supported",
                    names.rotary_dim, h.rotary_dim, h.head_dim);
  }
  positive(names.norm_epsilon, h.norm_epsilon, 1);
  positive(names.rope_base, h.rope_base, 1e15);
  if (h.rope_base <= 1) throw bad_input("\"{}\": expected more than 1", names.rope_base);
  check_scaling(h.rope_scaling, names.rope_scaling);
}

double as_written(float value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double result = value;  // stays so for infinities and NaN
  if (std::isfinite(value)) std::from_chars(text, end, result);
  return result;
}

}  // namespace nibble
