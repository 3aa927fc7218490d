#include <set>

#include "arch/arch.h"
#include "base/error.h"
#include "support/support.h"

namespace nibble {
namespace {

TEST(Registry, FindsEveryArchitectureByEachOfItsNames) {
  for (const Arch* arch : all_archs()) {
    EXPECT_EQ(arch_by_gguf_name(arch->name).name, arch->name);
    EXPECT_EQ(&arch_by_hf_model_type(arch->hf_model_type), arch);
    for (const auto name : arch->hf_classes) EXPECT_EQ(&arch_by_hf_class(name), arch);
  }
}

TEST(Registry, MistralIsALlamaInGguf) {
  EXPECT_EQ(arch_by_hf_class("MistralForCausalLM").name, "llama");
  EXPECT_EQ(&arch_by_gguf_name("llama"), &archs::llama);
}

TEST(Registry, UnknownNamesListWhatThereIs) {
  try {
    arch_by_hf_class("LlamaForCausalML");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(error.message().find("Qwen3ForCausalLM"), std::string::npos);
    EXPECT_NE(error.message().find("did you mean LlamaForCausalLM?"), std::string::npos);
  }
  EXPECT_THROW(arch_by_gguf_name(std::string(1 << 20, 'x')), Error);
}

TEST(Registry, TablesNameEveryTensorOnce) {
  for (const Arch* arch : all_archs()) {
    std::set<Role> roles;
    std::set<std::string_view> names;
    for (const TensorRow& row : arch->tensors) {
      EXPECT_TRUE(roles.insert(row.role).second) << row.gguf;
      EXPECT_TRUE(names.insert(row.gguf).second) << row.gguf;
      EXPECT_EQ(arch->find(row.role), &row);
      if (row.hf.empty()) {
        EXPECT_EQ(row.role, Role::kRopeFactors);
        continue;
      }
      EXPECT_TRUE(names.insert(row.hf).second) << row.hf;
      // Both names are of a layer or neither is, and both are of a bias or neither is.
      EXPECT_EQ(row.gguf.find("{}") == row.gguf.npos, row.hf.find("{}") == row.hf.npos);
      EXPECT_EQ(row.gguf.ends_with(".bias"), row.hf.ends_with(".bias"));
    }
  }
}

TEST(Registry, TheRowsOfQueriesAndKeysRotate) {
  for (const Arch* arch : all_archs()) {
    for (const TensorRow& row : arch->tensors) {
      const bool rotary = row.role == Role::kQuery || row.role == Role::kQueryBias ||
                          row.role == Role::kKey || row.role == Role::kKeyBias;
      EXPECT_EQ(row.order == RowOrder::kRotary, rotary) << row.gguf;
    }
  }
}

TEST(Registry, RowsOfTheLayersStandTogether) {
  for (const Arch* arch : all_archs()) {
    int changes = 0;
    for (size_t i = 1; i < arch->tensors.size(); ++i) {
      const auto in_layer = [&](size_t j) { return arch->tensors[j].gguf.starts_with("blk."); };
      changes += in_layer(i) != in_layer(i - 1);
    }
    EXPECT_EQ(changes, 2) << arch->hf_model_type;
  }
}

}  // namespace
}  // namespace nibble
