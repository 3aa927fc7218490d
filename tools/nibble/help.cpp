#include "command.h"
#include "help_text.h"
#include "output.h"

namespace nibble::cli {
namespace {

class Help : public Command {
 public:
  void declare(CommandLine& line) override {
    line.positional("TOPIC", &topic_, "formats, exit-codes, environment, or a command").required =
        false;
  }
  void run(const CommandLine&) override {
    print_text(topic_.empty() ? overview() : topic_help(topic_));
  }

 private:
  std::string topic_;
};

constexpr Example kExamples[] = {
    {"nibble help formats", "storage types and what INT4 and INT8 stand for"},
    {"nibble help quantize", "the same as nibble quantize --help"},
};

}  // namespace

extern const CommandRow help_command;
const CommandRow help_command = {"help",    "explain a topic or a command",
                                 "[TOPIC]", "Without a topic: the list of commands and topics.",
                                 kExamples, [] { return std::unique_ptr<Command>(new Help); }};

}  // namespace nibble::cli
