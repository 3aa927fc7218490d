#include <fmt/format.h>

#include "command.h"
#include "output.h"

// Shell completions, written from the same table as the help.

namespace nibble::cli {
namespace {

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format* format : all_formats()) {
    if (format->encode != nullptr) names.emplace_back(format->name);
  }
  for (const std::string_view name : {"INT8", "INT4"}) {
    if (find_format(name) != nullptr) names.emplace_back(name);
  }
  return names;
}

// What may stand behind a flag, where that can be listed.
std::vector<std::string> values_of(const Option& option) {
  return option.takes == Takes::kFormat ? format_names() : option.choices;
}

std::string command_names() {
  std::string names;
  for (const CommandRow* row : all_commands())
    names += (names.empty() ? "" : " ") + std::string(row->name);
  return names;
}

// Calls visit(row, line) for every command.
template <typename Visit>
void for_each_command(const Visit& visit) {
  for (const CommandRow* row : all_commands()) {
    const auto command = row->make();
    const CommandLine line(row->name, *command);
    visit(*row, line);
  }
}

// 'It''s' for sh and zsh: everything in single quotes but the quotes themselves.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string bash_script() {
  std::string flags, values;
  for_each_command([&](const CommandRow& row, const CommandLine& line) {
    std::string names;
    for (const auto& option : line.options()) {
      if (option.positional) continue;
      names += " " + option.long_name;
      if (!option.short_name.empty()) names += " " + option.short_name;
      const auto choices = values_of(option);
      if (choices.empty()) continue;
      values += fmt::format("    {}:{}) words='{}' ;;\n", row.name, option.long_name,
                            fmt::join(choices, " "));
    }
    flags += fmt::format("    {}) words='{}' ;;\n", row.name, names.substr(1));
  });
  return "# bash completion for nibble; source it, or put it into\n"
         "# /usr/share/bash-completion/completions/nibble\n"
         "_nibble() {\n"
         "  local current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
         "  local command=\"${COMP_WORDS[1]}\" words=''\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n" +
         fmt::format("    COMPREPLY=($(compgen -W '{} --version' -- \"$current\"))\n",
                     command_names()) +
         "    return\n"
         "  fi\n"
         "  case \"$command:$previous\" in\n" +
         values +
         "  esac\n"
         "  if [ -z \"$words\" ] && [[ \"$current\" == -* ]]; then\n"
         "    case \"$command\" in\n" +
         flags +
         "    esac\n"
         "  fi\n"
         "  if [ -n \"$words\" ]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _nibble nibble\n";
}

// One line of _arguments: "'--type[help]:TYPE:(Q4_0 Q8_0)'".
std::string zsh_argument(const Option& option, std::string_view name) {
  std::string help;
  for (const char c : option.help) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') help += '\\';
    help += c;
  }
  std::string text = fmt::format("{}{}[{}]", option.repeatable ? "*" : "", name, help);
  const auto choices = values_of(option);
  if (!choices.empty()) {
    text += fmt::format(":{}:({})", option.long_name.substr(2), fmt::join(choices, " "));
  } else if (option.takes == Takes::kPath) {
    text += fmt::format(":{}:_files", option.value_name);
  } else if (option.takes != Takes::kNothing) {
    text += fmt::format(":{}:", option.value_name);
  }
  return fmt::format("        {} \\\n", quoted(text));
}

std::string zsh_script() {
  std::string commands, cases;
  for_each_command([&](const CommandRow& row, const CommandLine& line) {
    commands += fmt::format("    {}\n", quoted(fmt::format("{}:{}", row.name, row.summary)));
    cases += fmt::format("    {})\n      _arguments \\\n", row.name);
    for (const auto& option : line.options()) {
      if (option.positional) continue;
      cases += zsh_argument(option, option.long_name);
      if (!option.short_name.empty()) cases += zsh_argument(option, option.short_name);
    }
    cases += "        '*:file:_files' ;;\n";
  });
  return "#compdef nibble\n"
         "_nibble() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         commands +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "}\n"
         "_nibble \"$@\"\n";
}

std::string fish_script() {
  std::string text = "# fish completion for nibble\n";
  for_each_command([&](const CommandRow& row, const CommandLine& line) {
    text += fmt::format("complete -c nibble -n __fish_use_subcommand -a {} -d {}\n", row.name,
                        quoted(row.summary));
    for (const auto& option : line.options()) {
      if (option.positional) continue;
      text += fmt::format("complete -c nibble -n '__fish_seen_subcommand_from {}'", row.name);
      if (option.long_name.starts_with("--"))
        text += " -l " + option.long_name.substr(2);
      else
        text += " -s " + option.long_name.substr(1);
      if (!option.short_name.empty()) text += " -s " + option.short_name.substr(1);
      const auto choices = values_of(option);
      if (!choices.empty())
        text += fmt::format(" -x -a '{}'", fmt::join(choices, " "));
      else if (option.takes == Takes::kPath)
        text += " -r -F";
      else if (option.takes != Takes::kNothing)
        text += " -x";
      text += fmt::format(" -d {}\n", quoted(option.help));
    }
  });
  return text;
}

class Completions : public Command {
 public:
  void declare(CommandLine& line) override {
    line.positional("SHELL", &shell_, "bash, zsh or fish", {"bash", "zsh", "fish"});
  }
  void run(const CommandLine&) override {
    print_text(shell_ == "bash" ? bash_script() : shell_ == "zsh" ? zsh_script() : fish_script());
  }

 private:
  std::string shell_;
};

constexpr Example kExamples[] = {
    {"nibble completions bash > ~/.local/share/bash-completion/completions/nibble",
     "for bash, from the next shell on"},
    {"nibble completions fish > ~/.config/fish/completions/nibble.fish", "for fish"},
};

}  // namespace

extern const CommandRow completions_command;
const CommandRow completions_command = {
    "completions",
    "print shell completions",
    "bash|zsh|fish",
    "The script completes commands, flags, types and file names. It is made from the same table as "
    "this help, so it knows every flag.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Completions); }};

}  // namespace nibble::cli
