#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "write_model.h"

namespace nibble::cli {
namespace {

class Quantize : public Command {
 public:
  void declare(CommandLine& line) override {
    flags_.declare_paths(line);
    line.group("Quality");
    line.text("--type", "TYPE", &type_,
              "what weights become: INT4, INT8, Q4_0 ... (nibble help formats)")
        .require()
        .takes = Takes::kFormat;
    line.texts("--tensor", "REGEX=TYPE", &rules_,
               "tensors whose name REGEX finds get TYPE; repeatable, first match wins");
    line.choice("--method", method_names(), &method_, "how weights are rounded (default: rtn)");
    flags_.declare_resources(line);
  }

  void run(const CommandLine& line) override {
    const Format& format = format_by_name(type_);
    if (::strcasecmp(type_.c_str(), std::string(format.name).c_str()) != 0) {
      log::info("{} is {} here: {:.4g} bits per weight", type_, format.name,
                format.bits_per_weight());
    }
    Recipe recipe(format);
    for (const auto& rule : rules_) recipe.add_rule(rule);
    write_model(line, flags_, recipe, method_by_name(method_));
  }

 private:
  static std::vector<std::string> method_names() {
    std::vector<std::string> names;
    for (const Method* method : all_methods()) names.emplace_back(method->name);
    return names;
  }

  WriteFlags flags_;
  std::string type_, method_ = "rtn";
  std::vector<std::string> rules_;
};

constexpr Example kExamples[] = {
    {"nibble quantize models/classics-6m -o classics-q4.gguf --type INT4",
     "four bits per weight, in one GGUF file"},
    {"nibble quantize MODEL -o out.gguf --type Q4_0 --tensor 'ffn_down=Q8_0'",
     "the same, but eight bits for the matrices most easily harmed"},
    {"nibble quantize MODEL -o out.gguf --type INT8 --dry-run",
     "what it would write, and how large"},
};

}  // namespace

extern const CommandRow quantize_command;
const CommandRow quantize_command = {
    "quantize",
    "write a model in a smaller format",
    "MODEL -o PATH --type TYPE [flags]",
    "Reads the model tensor by tensor, rounds every weight matrix to TYPE and writes the result; "
    "memory stays at a few tensors whatever the model's size. Norms and biases stay in F32, the "
    "output matrix in Q8_0 under types of fewer bits. A tensor whose shape TYPE does not fit is "
    "named before the work begins.\n\n"
    "The output appears under its name when it is complete: Ctrl-C or a full disk leave an older "
    "file as it was. The same input gives the same bytes for any number of threads.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Quantize); }};

}  // namespace nibble::cli
