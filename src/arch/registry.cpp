#include <algorithm>
#include <string>
#include <vector>

#include "arch/arch.h"
#include "base/error.h"
#include "base/suggest.h"

namespace nibble {

namespace {

constexpr const Arch* kArchs[] = {&archs::llama, &archs::mistral, &archs::qwen2, &archs::qwen3};

std::string_view gguf_name(const Arch& arch) { return arch.name; }
std::string_view model_type(const Arch& arch) { return arch.hf_model_type; }
std::string_view hf_class(const Arch& arch) { return arch.hf_classes[0]; }

// What `name_of` calls every architecture, each name once.
std::vector<std::string_view> names(std::string_view (*name_of)(const Arch&)) {
  std::vector<std::string_view> result;
  for (const Arch* arch : kArchs) {
    if (std::ranges::find(result, name_of(*arch)) == result.end()) {
      result.push_back(name_of(*arch));
    }
  }
  return result;
}

[[noreturn]] void throw_unsupported(std::string_view what,
                                    const std::vector<std::string_view>& supported) {
  what = what.substr(0, 80);  // a damaged file may hold anything here
  throw bad_input("architecture {} is not supported; supported are {}", what,
                  fmt::join(supported, ", "))
      .hint(did_you_mean(what, supported));
}

}  // namespace

std::span<const Arch* const> all_archs() { return kArchs; }

const Arch& arch_by_gguf_name(std::string_view name) {
  for (const Arch* arch : kArchs) {
    if (arch->name == name) return *arch;
  }
  throw_unsupported(name, names(gguf_name));
}

const Arch& arch_by_hf_class(std::string_view name) {
  for (const Arch* arch : kArchs) {
    if (std::ranges::find(arch->hf_classes, name) != arch->hf_classes.end()) return *arch;
  }
  throw_unsupported(name, names(hf_class));
}

const Arch& arch_by_hf_model_type(std::string_view name) {
  for (const Arch* arch : kArchs) {
    if (arch->hf_model_type == name) return *arch;
  }
  throw_unsupported(name, names(model_type));
}

const TensorRow* Arch::find(Role role) const {
  const auto row = std::ranges::find(tensors, role, &TensorRow::role);
  return row == tensors.end() ? nullptr : &*row;
}

std::string with_layer(std::string_view pattern, int64_t layer) {
  std::string name(pattern);
  const size_t at = name.find("{}");
  if (at != std::string::npos) name.replace(at, 2, std::to_string(layer));
  return name;
}

uint64_t dimension(Dim dim, const Hyperparameters& h) {
  switch (dim) {
    case Dim::kNone:
      return 1;
    case Dim::kHidden:
      return h.hidden;
    case Dim::kFfn:
      return h.ffn;
    case Dim::kQueries:
      return h.heads * h.head_dim;
    case Dim::kKeys:
      return h.kv_heads * h.head_dim;
    case Dim::kHeadDim:
      return h.head_dim;
    case Dim::kVocabulary:
      return h.vocabulary;
    case Dim::kRotaryPairs:
      return h.rotary_dim / 2;
  }
  NIBBLE_CHECK(false);
}

}  // namespace nibble
