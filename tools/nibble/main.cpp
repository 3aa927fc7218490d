// nibble: the table of commands, and what happens around one.

#include <fcntl.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/suggest.h"
#include "command.h"
#include "help_text.h"
#include "output.h"
#include "version.h"

namespace nibble::cli {

extern const CommandRow inspect_command, tokenize_command, convert_command, quantize_command,
    run_command, eval_command, bench_command, help_command, completions_command;

namespace {

constexpr std::array kCommands = {&inspect_command,  &quantize_command, &run_command,
                                  &eval_command,     &bench_command,    &convert_command,
                                  &tokenize_command, &help_command,     &completions_command};

constexpr int kBrokenPipe = 128 + SIGPIPE;

void print_error(std::string_view where, std::string_view what, std::string_view hint) {
  clear_progress_line();
  const char* label = colour_errors() ? "\x1b[1;31merror:\x1b[0m" : "error:";
  std::string text = fmt::format("{} ", label);
  if (!where.empty()) text += printable(where, 4096) + ": ";
  text += printable(what, 4096) + "\n";
  if (!hint.empty()) text += "hint: " + printable(hint, 4096) + "\n";
  std::fputs(text.c_str(), stderr);
}

void run_row(const CommandRow& row, std::span<const std::string> words) {
  const auto command = row.make();
  CommandLine line(row.name, *command);
  line.parse(words);
  if (line.short_help() || line.long_help()) {
    print_text(line.long_help() ? long_help(row, line) : short_help(row, line));
    return;
  }
  try {
    line.check_required();
  } catch (const Error&) {
    std::fputs((short_help(row, line) + "\n").c_str(), stderr);
    throw;
  }
  command->run(line);
}

void run_words(std::span<const std::string> words) {
  if (words.empty() || words[0] == "-h" || words[0] == "--help") {
    print_text(overview());
  } else if (words[0] == "--version") {
    print_version(words.subspan(1));
  } else {
    run_row(command_by_name(words[0]), words.subspan(1));
  }
}

// A file opened later must not get the number of a standard stream that was closed, and then our
// messages. Reading and writing through what is put there fails as it did, except that messages are
// dropped.
void occupy_standard_streams() {
  constexpr std::array kModes = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int fd = 0; fd < int(kModes.size()); ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) ::open("/dev/null", kModes[size_t(fd)]);
  }
}

// Runs `work` and turns what it throws into an exit code.
template <typename Work>
int exit_code_of(const Work& work) {
  try {
    work();
    return 0;
  } catch (const BrokenPipe&) {
    return kBrokenPipe;
  } catch (const Error& error) {
    print_error(error.where(), error.what(), error.hint_text());
    return int(error.kind());
  } catch (const std::bad_alloc&) {
    print_error("", "out of memory", "use a smaller model, or a shorter --context");
    return int(ErrorKind::kResources);
  } catch (const std::exception& error) {
    print_error("", error.what(), "");
    return int(ErrorKind::kRuntime);
  }
}

}  // namespace

std::span<const CommandRow* const> all_commands() { return kCommands; }

const CommandRow& command_by_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CommandRow* row : kCommands) {
    if (row->name == name) return *row;
    names.push_back(row->name);
  }
  const std::string near = did_you_mean(name, names);
  const std::string_view kind = name.starts_with("-") ? "flag" : "command";
  throw usage_error("nibble has no {} {}", kind, name)
      .hint(near.empty() ? "nibble alone lists the commands" : near);
}

}  // namespace nibble::cli

int main(int argc, char** argv) {
  using namespace nibble;
  cli::occupy_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, seen by print()
  install_file_fault_handler();
  install_interrupt_handler();
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  return cli::exit_code_of([&] {
    cli::run_words(words);
    cli::flush_output();
  });
}
