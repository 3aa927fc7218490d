#include <cstring>

#include "containers.h"
#include "model/checkpoint.h"
#include "support/support.h"

namespace nibble {
namespace {

using test::error_of;
using test::expect_refused;
using test::Stored;
using test::zeros;

class HostileGguf : public testing::Test {
 protected:
  HostileGguf() : model_(Checkpoint::open(test::shipped_model())) {
    metadata_.set("general.architecture", std::string("llama"));
    write_gguf_hyperparameters(model_->arch(), model_->hyperparameters(), metadata_);
    tensors_ = test::gguf_tensors(*model_);
  }
  fs::path file() {
    const fs::path path = folder_ / "model.gguf";
    test::write(*create_gguf(path), metadata_, tensors_);
    return path;
  }
  void remove(std::string_view name) {
    std::erase_if(tensors_, [&](const Stored& tensor) { return tensor.info.name == name; });
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<Checkpoint> model_;
  Metadata metadata_;
  std::vector<Stored> tensors_;
};

TEST_F(HostileGguf, OpensWhenNothingIsWrong) { EXPECT_EQ(error_of(file()), "opened"); }

TEST_F(HostileGguf, ArchitectureMustBeKnown) {
  metadata_.set("general.architecture", std::string("mamba"));
  expect_refused(file(), "mamba");
  metadata_.erase("general.architecture");
  expect_refused(file(), "general.architecture");
}

TEST_F(HostileGguf, AdaptersAndOtherFilesAreNoModels) {
  metadata_.set("general.type", std::string("adapter"));
  expect_refused(file(), "adapter");
}

TEST_F(HostileGguf, LayersThatAreNotThereAreMissed) {
  metadata_.set("llama.block_count", uint32_t(4096));
  expect_refused(file(), "blk.6.attn_norm.weight");
}

TEST_F(HostileGguf, TheEmbeddingSaysHowManyTokensWhereNoKeyDoes) {
  metadata_.erase("llama.vocab_size");
  EXPECT_EQ(Checkpoint::open(file())->hyperparameters().vocabulary, 4096u);
  metadata_.set("llama.vocab_size", uint32_t(4095));
  expect_refused(file(), "token_embd.weight");
}

TEST_F(HostileGguf, BiasesMustBeThereInEveryLayer) {
  tensors_.push_back(zeros("blk.0.attn_q.bias", {256}));
  expect_refused(file(), "blk.0.attn_k.bias");
  remove("blk.0.attn_q.bias");
  tensors_.push_back(zeros("blk.3.attn_q.bias", {256}));
  expect_refused(file(), "blk.3.attn_q.bias");
}

TEST_F(HostileGguf, RopeFactorsMustBeDivisors) {
  tensors_.push_back(zeros("rope_freqs.weight", {32}));
  expect_refused(file(), "rope_freqs.weight");
  const std::vector<float> ones(32, 1);
  std::memcpy(tensors_.back().bytes.data(), ones.data(), 32 * sizeof(float));
  EXPECT_TRUE(Checkpoint::open(file())->hyperparameters().rope_factors.empty());
  const std::vector<float> twos(32, 2);
  std::memcpy(tensors_.back().bytes.data(), twos.data(), 32 * sizeof(float));
  const auto model = Checkpoint::open(file());
  EXPECT_EQ(model->hyperparameters().rope_factors, twos);
  EXPECT_EQ(model->parameters(), 5'770'496u);
  tensors_.back() = zeros("rope_freqs.weight", {31});
  expect_refused(file(), "rope_freqs.weight");
}

TEST_F(HostileGguf, NoTokenizerIsAnErrorOnlyWhenOneIsNeeded) {
  const auto model = Checkpoint::open(file());
  EXPECT_THROW(model->tokenizer(), Error);
  EXPECT_THROW(model->tokenizer(), Error);
}

}  // namespace
}  // namespace nibble
