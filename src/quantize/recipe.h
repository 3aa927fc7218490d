#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/checkpoint.h"

namespace nibble {

// Which storage format each tensor gets, and why.
struct Choice {
  const Format* format = nullptr;
  std::string reason;     // "", or why it is not the recipe's own format
  bool fallback = false;  // the wanted format does not fit the shape: to be said aloud
};

// A base format, the field's customs around it, and the user's rules on top:
//   vectors (norms, biases, rope factors)           F32
//   output, and the embedding that doubles as one   Q8_0 when the base has fewer than 8 bits
//   rows that the block size does not divide        F16, reported
class Recipe {
 public:
  // Keeps every matrix in the format it is stored in (F64 becomes F32).
  static Recipe keep();
  explicit Recipe(const Format& base);

  // "REGEX=TYPE": tensors whose GGUF name the regular expression (PCRE2) finds something in get the
  // type. Of several rules the first that matches wins. Throws Error(kUsage) on a bad expression or
  // type.
  void add_rule(std::string_view rule);

  Choice choose(const CheckpointTensor& tensor, const Hyperparameters& h) const;
  // Throws Error(kUsage) naming the rules that match no tensor of this model.
  void check_rules(const Checkpoint& checkpoint) const;
  const Format* base() const { return base_; }  // nullptr: keep
  std::string name() const;                     // "Q4_0", "as stored"

 private:
  struct Rule;
  Recipe() = default;
  const Rule* matching(std::string_view name) const;

  const Format* base_ = nullptr;
  std::vector<std::shared_ptr<const Rule>> rules_;
};

}  // namespace nibble
