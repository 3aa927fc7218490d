#include "quantize/recipe.h"

#include "base/error.h"
#include "text/regex.h"

namespace nibble {

struct Recipe::Rule {
  std::string text;
  Regex expression;
  const Format& format;
};

namespace {

bool fits(const Format& format, const CheckpointTensor& tensor) {
  return tensor.info.row_size() % format.block_size == 0;
}

bool is_vector(const CheckpointTensor& tensor) { return tensor.row->rows == Dim::kNone; }

// What a matrix gets whose rows the wanted format cannot cut into blocks.
Choice instead_of(const Format& wanted, const CheckpointTensor& tensor) {
  return {.format = &formats::f16,
          .reason = fmt::format("{} needs rows of a multiple of {}, this one has {}", wanted.name,
                                wanted.block_size, tensor.info.row_size()),
          .fallback = true};
}

const Format& writable_format(std::string_view name) {
  const Format& format = format_by_name(name);
  if (format.encode == nullptr) {
    throw usage_error("{} can be read but not written", format.name)
        .hint("`nibble help formats` lists what can be written");
  }
  return format;
}

Regex compile(std::string_view rule, std::string_view expression) {
  try {
    return Regex(std::string(expression));
  } catch (const Error& error) {
    throw usage_error("--tensor {}: {}", rule, error.what());
  }
}

bool matches(const Regex& expression, std::string_view name) {
  bool found = false;
  expression.for_each_match(name, [&](size_t, size_t) { found = true; });
  return found;
}

}  // namespace

Recipe Recipe::keep() { return Recipe(); }

Recipe::Recipe(const Format& base) : base_(&base) { writable_format(base.name); }

void Recipe::add_rule(std::string_view rule) {
  const size_t equals = rule.rfind('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == rule.size()) {
    throw usage_error("\"{}\": expected REGEX=TYPE", rule).hint("for example 'ffn_down=Q8_0'");
  }
  const Format& format = writable_format(rule.substr(equals + 1));
  rules_.push_back(std::make_shared<const Rule>(
      Rule{std::string(rule), compile(rule, rule.substr(0, equals)), format}));
}

const Recipe::Rule* Recipe::matching(std::string_view name) const {
  for (const auto& rule : rules_) {
    if (matches(rule->expression, name)) return rule.get();
  }
  return nullptr;
}

Choice Recipe::choose(const CheckpointTensor& tensor, const Hyperparameters& h) const {
  if (is_vector(tensor)) return {.format = &formats::f32};
  if (const Rule* rule = matching(tensor.name)) {
    if (!fits(rule->format, tensor)) return instead_of(rule->format, tensor);
    return {.format = &rule->format, .reason = fmt::format("rule {}", rule->text)};
  }
  if (base_ == nullptr) {
    const bool writable = tensor.info.format->encode != nullptr && tensor.info.format->gguf_id >= 0;
    return {.format = writable ? tensor.info.format : &formats::f32};
  }
  if (!fits(*base_, tensor)) return instead_of(*base_, tensor);
  // The output projection decides every logit; the field keeps it at 6 to 8 bits.
  const bool is_output = tensor.row->role == Role::kOutput ||
                         (tensor.row->role == Role::kTokenEmbedding && h.tied_embeddings);
  if (is_output && base_->bits_per_weight() < formats::q8_0.bits_per_weight()) {
    return {.format = &formats::q8_0, .reason = "output"};
  }
  return {.format = base_};
}

void Recipe::check_rules(const Checkpoint& checkpoint) const {
  for (const auto& rule : rules_) {
    bool used = false;
    for (const auto& tensor : checkpoint.tensors()) {
      used = used || (!is_vector(tensor) && matching(tensor.name) == rule.get());
    }
    if (used) continue;
    throw usage_error("--tensor {}: decides no tensor of this model", rule->text)
        .hint(
            "names are those `nibble inspect` prints, such as blk.0.ffn_down.weight; the first "
            "rule that matches wins");
  }
}

std::string Recipe::name() const {
  return base_ == nullptr ? std::string("as stored") : std::string(base_->name);
}

}  // namespace nibble
