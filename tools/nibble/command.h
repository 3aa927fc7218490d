#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"

// What a command is, and the flags it declares. One declaration of a flag feeds the parser, both
// help texts, the completions and the list of environment variables; CLI11 stays behind
// command.cpp.

namespace nibble::cli {

// What kind of word a flag takes; completions offer accordingly.
enum class Takes { kNothing, kText, kPath, kFormat, kChoice };

// One flag or positional argument.
struct Option {
  std::string long_name;    // "--output"; of a positional "MODEL"
  std::string short_name;   // "-o", or ""
  std::string value_name;   // "PATH"; "" for a switch
  std::string help;         // one line, with default and unit
  std::string group;        // heading it stands under
  std::string environment;  // "NIBBLE_OUTPUT"; "" for a positional
  Takes takes = Takes::kNothing;
  std::vector<std::string> choices;  // kChoice
  bool positional = false, required = false, repeatable = false;
  std::function<void(std::string_view)> set;

  Option& require() {
    required = true;
    return *this;
  }
  Option& env(std::string_view name) {
    environment = name;
    return *this;
  }
  // "-o, --output PATH"
  std::string spelling() const;
};

class CommandLine;

// One command: parse, call the library, print.
class Command {
 public:
  virtual ~Command() = default;
  virtual void declare(CommandLine& line) = 0;
  // Throws nibble::Error; its kind is the exit code.
  virtual void run(const CommandLine& line) = 0;
};

// The command line of one command: what it may say, then what it said.
class CommandLine {
 public:
  // Takes the flags of `command`, which must outlive it, and those every command has.
  CommandLine(std::string_view name, Command& command);

  // Declaring. `names` is "--seed" or "-o,--output". Each stores into `*into` only when the flag
  // was given, so the value there before is the default. Values out of range throw Error(kUsage)
  // naming the flag.
  void group(std::string_view heading) { group_ = heading; }
  // Required unless said otherwise; with `choices` it must be one of them, else it is a path.
  Option& positional(std::string_view name, std::string* into, std::string_view help,
                     std::vector<std::string> choices = {});
  Option& flag(std::string_view names, bool* into, std::string_view help);
  Option& text(std::string_view names, std::string_view value, std::string* into,
               std::string_view help);
  Option& text(std::string_view names, std::string_view value, std::optional<std::string>* into,
               std::string_view help);
  Option& texts(std::string_view names, std::string_view value, std::vector<std::string>* into,
                std::string_view help);
  Option& path(std::string_view names, std::string_view value, std::string* into,
               std::string_view help);
  Option& integer(std::string_view names, uint64_t* into, uint64_t min, uint64_t max,
                  std::string_view help);
  Option& integer(std::string_view names, std::optional<uint64_t>* into, uint64_t min, uint64_t max,
                  std::string_view help);
  Option& number(std::string_view names, std::optional<double>* into, double min, double max,
                 std::string_view help);
  Option& bytes(std::string_view names, uint64_t* into, std::string_view help);
  Option& format(std::string_view names, const Format** into, std::string_view help);
  Option& choice(std::string_view names, std::vector<std::string> choices, std::string* into,
                 std::string_view help);

  // At most one of these may be given; one on the command line hides the variables of the others.
  void exclusive(std::vector<std::string> names) { exclusive_.push_back(std::move(names)); }

  // Flags that mean the same in every command.
  void threads(uint64_t* into);  // -j, 0 = one per core
  void json(bool* into);
  void force(bool* into);

  // Parses the words after the command's name; flags not given there are looked up in the
  // environment. Throws Error(kUsage) with a "did you mean" on what it does not know.
  void parse(std::span<const std::string> words);
  // Throws Error(kUsage) naming the first required argument that is not there.
  void check_required() const;

  bool given(std::string_view name) const;    // by the command line or the environment
  bool spelled(std::string_view name) const;  // by the command line
  // Throws Error(kUsage) when `name` was spelled: "--seed has no effect with --temperature 0".
  void refuse(std::string_view name, std::string_view because_of) const;

  std::string_view name() const { return name_; }
  std::span<const Option> options() const { return options_; }
  bool short_help() const { return short_help_; }
  bool long_help() const { return long_help_; }

 private:
  Option& add(std::string_view names, std::string_view value, Takes takes, std::string_view help);
  void apply(Option& option, std::string_view value, std::string_view source);
  void apply_environment();
  // The one of `names` that was spelled, other than `but`; nullptr when there is none.
  const std::string* spelled_among(const std::vector<std::string>& names,
                                   std::string_view but) const;
  void check_exclusive() const;
  bool hidden(const Option& option) const;
  [[noreturn]] void reject(const std::string& word) const;

  std::string name_, group_ = "Options";
  std::vector<Option> options_;
  std::vector<std::vector<std::string>> exclusive_;
  std::vector<std::string> spelled_, from_environment_;
  bool short_help_ = false, long_help_ = false, quiet_ = false, verbose_ = false;
};

struct Example {
  std::string_view command, says;
};

// A row of the table in main.cpp.
struct CommandRow {
  std::string_view name;
  std::string_view summary;  // one line
  std::string_view usage;    // "MODEL -o OUT --type TYPE"
  std::string_view details;  // paragraphs of --help
  std::span<const Example> examples;
  std::unique_ptr<Command> (*make)();
};

std::span<const CommandRow* const> all_commands();
// Throws Error(kUsage) with a "did you mean" when unknown.
const CommandRow& command_by_name(std::string_view name);

}  // namespace nibble::cli
