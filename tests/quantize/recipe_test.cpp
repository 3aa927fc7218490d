#include "quantize/recipe.h"

#include "base/error.h"
#include "support/support.h"

namespace nibble {
namespace {

class RecipeOfClassics : public testing::Test {
 protected:
  RecipeOfClassics() : checkpoint_(Checkpoint::open(test::shipped_model())) {}

  const Format* choose(const Recipe& recipe, std::string_view name) const {
    return choice(recipe, name).format;
  }
  Choice choice(const Recipe& recipe, std::string_view name) const {
    for (const auto& tensor : checkpoint_->tensors()) {
      if (tensor.name == name) return recipe.choose(tensor, checkpoint_->hyperparameters());
    }
    ADD_FAILURE() << name;
    return {};
  }

  std::unique_ptr<Checkpoint> checkpoint_;
};

TEST_F(RecipeOfClassics, MatricesGetTheBaseFormatAndVectorsF32) {
  const Recipe recipe(formats::q4_0);
  EXPECT_EQ(choose(recipe, "blk.0.attn_q.weight"), &formats::q4_0);
  EXPECT_EQ(choose(recipe, "blk.5.ffn_down.weight"), &formats::q4_0);
  EXPECT_EQ(choose(recipe, "blk.3.attn_norm.weight"), &formats::f32);
  EXPECT_EQ(choose(recipe, "output_norm.weight"), &formats::f32);
}

TEST_F(RecipeOfClassics, TheEmbeddingThatIsTheOutputKeepsEightBits) {
  const Choice choice = this->choice(Recipe(formats::q4_0), "token_embd.weight");
  EXPECT_EQ(choice.format, &formats::q8_0);
  EXPECT_EQ(choice.reason, "output");
  EXPECT_EQ(choose(Recipe(formats::f16), "token_embd.weight"), &formats::f16);
}

TEST_F(RecipeOfClassics, TheFirstMatchingRuleWins) {
  Recipe recipe(formats::q4_0);
  recipe.add_rule("blk\\.0\\.=F16");
  recipe.add_rule("ffn_(up|down)=int8");
  EXPECT_EQ(choose(recipe, "blk.0.ffn_up.weight"), &formats::f16);
  EXPECT_EQ(choose(recipe, "blk.1.ffn_up.weight"), &formats::q8_0);
  EXPECT_EQ(choose(recipe, "blk.1.ffn_gate.weight"), &formats::q4_0);
  EXPECT_EQ(choose(recipe, "blk.0.attn_norm.weight"), &formats::f32);
  recipe.check_rules(*checkpoint_);
}

TEST_F(RecipeOfClassics, ARuleThatDecidesNothingIsAnError) {
  Recipe recipe(formats::q4_0);
  recipe.add_rule("attn_qq=F16");
  EXPECT_THROW(recipe.check_rules(*checkpoint_), Error);
}

TEST_F(RecipeOfClassics, RulesThatCannotBeReadSayWhy) {
  Recipe recipe(formats::q4_0);
  for (const char* rule : {"", "=", "ffn", "=Q8_0", "ffn=", "ffn(=Q8_0", "ffn=Q9_9"}) {
    EXPECT_THROW(recipe.add_rule(rule), Error) << rule;
  }
}

TEST_F(RecipeOfClassics, AsStoredKeepsTheFormatOfMatrices) {
  EXPECT_EQ(choose(Recipe::keep(), "blk.0.attn_q.weight"), &formats::bf16);
  EXPECT_EQ(choose(Recipe::keep(), "blk.0.attn_norm.weight"), &formats::f32);
}

TEST(Recipe, RowsThatDoNotDivideFallBackAloud) {
  const TensorRow row{.role = Role::kFfnDown, .rows = Dim::kHidden, .cols = Dim::kFfn};
  const CheckpointTensor tensor{
      .name = "blk.0.ffn_down.weight", .row = &row, .info = {"", {64, 48}, &formats::f32}};
  const Choice choice = Recipe(formats::q4_0).choose(tensor, {});
  EXPECT_EQ(choice.format, &formats::f16);
  EXPECT_TRUE(choice.fallback);
  EXPECT_NE(choice.reason.find("multiple of 32"), std::string::npos);
}

}  // namespace
}  // namespace nibble
