#include <optional>

#include "base/error.h"
#include "write_model.h"

namespace nibble::cli {
namespace {

class Convert : public Command {
 public:
  void declare(CommandLine& line) override {
    flags_.declare_paths(line);
    line.format("--type", &type_, "F32, F16 or BF16 for all matrices (default: as stored)");
    flags_.declare_resources(line);
  }

  void run(const CommandLine& line) override {
    if (type_ != nullptr && type_->is_quantized()) {
      throw usage_error("--type {}: convert does not quantize", type_->name)
          .hint(fmt::format("nibble quantize {} -o {} --type {}", flags_.model, flags_.output,
                            type_->name));
    }
    write_model(line, flags_, type_ == nullptr ? Recipe::keep() : Recipe(*type_), methods::rtn);
  }

 private:
  WriteFlags flags_;
  const Format* type_ = nullptr;
};

constexpr Example kExamples[] = {
    {"nibble convert models/classics-6m -o classics.gguf", "a folder to a GGUF file"},
    {"nibble convert classics.gguf -o classics --type BF16", "a GGUF file to a folder in BF16"},
    {"nibble convert MODEL -o big.gguf --split-max-size 4GiB", "a GGUF file in parts"},
};

}  // namespace

extern const CommandRow convert_command;
const CommandRow convert_command = {
    "convert",
    "write a model as a GGUF file or a Hugging Face folder",
    "MODEL -o PATH [flags]",
    "The name of the output says which: NAME.gguf is a GGUF file, any other name a folder. Weights "
    "keep the type they are stored in unless --type names another; tokenizer, chat template and "
    "generation defaults come along.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Convert); }};

}  // namespace nibble::cli
