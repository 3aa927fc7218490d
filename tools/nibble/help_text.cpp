#include "help_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/suggest.h"
#include "output.h"

namespace nibble::cli {
namespace {

// Flags stand at column 6, or at 2 behind a short name: "  -o, --output PATH".
std::string flag_column(const Option& option) {
  const bool indented = option.short_name.empty() && !option.positional && option.long_name != "-h";
  return (indented ? "      " : "  ") + option.spelling();
}

std::string flag_list(const CommandLine& line, bool with_environment) {
  size_t width = 0;
  for (const auto& option : line.options()) {
    width = std::max(width, flag_column(option).size());
  }
  width = std::min<size_t>(width, 34);
  std::string text, group;
  for (const auto& option : line.options()) {
    if (option.group != group) text += fmt::format("\n{}:\n", group = option.group);
    const std::string column = flag_column(option);
    if (column.size() > width) {
      text += fmt::format("{}\n{:{}}  {}", column, "", width, option.help);
    } else {
      text += fmt::format("{:{}}  {}", column, width, option.help);
    }
    if (with_environment && !option.environment.empty()) {
      text += fmt::format("\n{:{}}  [{}]", "", width, option.environment);
    }
    text += "\n";
  }
  return text;
}

std::string example_list(std::span<const Example> examples) {
  std::string text = "Examples:\n";
  for (const auto& example : examples) {
    text += fmt::format("  {}\n      {}\n", example.command, example.says);
  }
  return text;
}

std::string formats_topic() {
  std::string text =
      "Storage formats, as --type, --tensor and --dynamic take them (in any case):\n\n"
      "  type     bits per weight  weights per block\n";
  for (const Format* format : all_formats()) {
    if (format->encode == nullptr) continue;
    text += fmt::format("  {:<8} {:>15.4g}  {:>17}\n", format->name, format->bits_per_weight(),
                        format->block_size);
  }
  text += "\nNames people say, and the type they stand for:\n\n";
  for (const std::string_view name : {"FP32", "FP16", "INT8", "INT4"}) {
    if (const Format* format = find_format(name)) {
      text += fmt::format("  {:<8} {}\n", name, format->name);
    }
  }
  text += "\n";
  text += wrap(
      "Whatever the type: norms, biases and other vectors stay in F32; the output matrix, and an "
      "embedding that doubles as one, is kept in Q8_0 under types of fewer than 8 bits; a matrix "
      "whose rows the block size does not divide stays in F16, which is said aloud.",
      0);
  return text;
}

std::string exit_codes_topic() {
  return "Exit codes:\n\n"
         "    0  done\n"
         "    1  it could not be done\n"
         "    2  the command line is off\n"
         "    3  the answer is no: a threshold is not met\n"
         "    4  a file is damaged, or of a kind nibble does not read\n"
         "    5  no memory, or no room on the disk\n"
         "   75  stopped by Ctrl-C or SIGTERM at a safe point; no file is half-written\n"
         "  130  stopped at once by a second Ctrl-C (143: by a second SIGTERM)\n"
         "  141  standard output was closed by its reader\n";
}

// Every variable a flag reads, with the commands that have the flag.
std::map<std::string, std::string> flag_variables() {
  std::map<std::string, std::string> users;
  for (const CommandRow* row : all_commands()) {
    const auto command = row->make();
    const CommandLine line(row->name, *command);
    for (const auto& option : line.options()) {
      if (option.environment.empty()) continue;
      auto& names = users[option.environment];
      names += (names.empty() ? "" : ", ") + std::string(row->name);
    }
  }
  return users;
}

std::string environment_topic() {
  std::string text =
      "Every flag can be given by an environment variable; the command line goes first.\n"
      "Switches take 1 or 0.\n\n";
  const auto variables = flag_variables();
  size_t width = 0;
  for (const auto& [name, commands] : variables) width = std::max(width, name.size());
  for (const auto& [name, commands] : variables) {
    text += fmt::format("  {:{}}  {}\n", name, width, commands);
  }
  text +=
      "\nBesides:\n\n"
      "  NIBBLE_ISA  instruction set to compute with (scalar, avx2 ...; default: the best here)\n"
      "  NO_COLOR    when set, no colour\n";
  return text;
}

struct Topic {
  std::string_view name, summary;
  std::string (*text)();
};
constexpr Topic kTopics[] = {
    {"formats", "storage types, their bits per weight, and what INT4 and INT8 stand for",
     formats_topic},
    {"exit-codes", "what the exit code of a command says", exit_codes_topic},
    {"environment", "variables that stand for flags", environment_topic},
};

}  // namespace

std::string wrap(std::string_view text, size_t indent, size_t width) {
  const std::string margin(indent, ' ');
  std::string out, line;
  const auto end_line = [&] {
    if (!line.empty()) out += margin + line + "\n";
    line.clear();
  };
  while (!text.empty()) {
    if (text.starts_with("\n\n")) {
      end_line();
      out += "\n";
    }
    text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
    const size_t length = std::min(text.find_first_of(" \n"), text.size());
    if (indent + line.size() + 1 + length > width) end_line();
    if (!line.empty() && length > 0) line += ' ';
    line += text.substr(0, length);
    text.remove_prefix(length);
  }
  end_line();
  return out;
}

std::string overview() {
  std::string text =
      "nibble makes language models small and says honestly what that cost.\n\n"
      "Usage: nibble COMMAND [arguments]\n\n"
      "Examples:\n"
      "  nibble quantize models/classics-6m -o classics-q4.gguf --type INT4\n"
      "  nibble eval classics-q4.gguf --base models/classics-6m\n"
      "  nibble run classics-q4.gguf -p \"The old house\"\n\n"
      "Commands:\n";
  for (const CommandRow* row : all_commands()) {
    text += fmt::format("  {:<12} {}\n", row->name, row->summary);
  }
  text += "\nTopics of nibble help:\n";
  for (const auto& topic : kTopics) text += fmt::format("  {:<12} {}\n", topic.name, topic.summary);
  return text +
         "\nnibble COMMAND -h lists the flags of a command, --help explains them.\n"
         "nibble --version [--json] says what this program was built from.\n";
}

std::string short_help(const CommandRow& row, const CommandLine& line) {
  return fmt::format("nibble {}: {}\n\nUsage: nibble {} {}\n", row.name, row.summary, row.name,
                     row.usage) +
         flag_list(line, false) + fmt::format("\nnibble {} --help shows examples.\n", row.name);
}

std::string long_help(const CommandRow& row, const CommandLine& line) {
  return fmt::format("nibble {}: {}\n\n", row.name, row.summary) + example_list(row.examples) +
         fmt::format("\nUsage: nibble {} {}\n\n", row.name, row.usage) + wrap(row.details, 0) +
         flag_list(line, true) +
         "\nThe variable in brackets stands for the flag where it is not given.\n"
         "nibble help formats | exit-codes | environment explains more.\n";
}

std::string topic_help(std::string_view name) {
  for (const auto& topic : kTopics) {
    if (topic.name == name) return topic.text();
  }
  std::vector<std::string_view> names;
  for (const auto& topic : kTopics) names.push_back(topic.name);
  for (const CommandRow* row : all_commands()) {
    names.push_back(row->name);
    if (row->name != name) continue;
    const auto command = row->make();
    const CommandLine line(row->name, *command);
    return long_help(*row, line);
  }
  const std::string near = did_you_mean(name, names);
  throw usage_error("there is no help on \"{}\"", name)
      .hint(near.empty() ? "nibble help lists the topics" : near);
}

}  // namespace nibble::cli
