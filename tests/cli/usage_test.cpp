#include <regex>
#include <set>

#include "cli.h"

// What the program says about itself, and how it refuses.

namespace nibble::test {
namespace {

using testing::AssertionFailure;
using testing::AssertionResult;
using testing::AssertionSuccess;

AssertionResult contains(const std::string& text, const std::string& part) {
  if (text.find(part) != text.npos) return AssertionSuccess();
  return AssertionFailure() << "\"" << part << "\" is not in:\n" << text;
}

// A refusal: exit code, nothing on standard output, "error: " and each of `parts` on the other.
void expect_refusal(const std::vector<std::string>& words, int exit_code,
                    const std::vector<std::string>& parts) {
  SCOPED_TRACE(testing::PrintToString(words));
  const auto result = run_nibble(words);
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_TRUE(contains(result.err, "error: "));
  for (const auto& part : parts) EXPECT_TRUE(contains(result.err, part));
}

// The flags a command declares: those that begin a line of `nibble COMMAND -h`.
std::set<std::string> flags_of(const std::string& command) {
  static const std::regex kLine("(^|\n)  (-[a-z], |    )(--[a-z][a-z0-9-]*)");
  const std::string text = run_nibble({command, "-h"}).out;
  std::set<std::string> flags;
  for (std::sregex_iterator it(text.begin(), text.end(), kLine), end; it != end; ++it) {
    flags.insert((*it)[3]);
  }
  return flags;
}

// Compares with tests/cli/golden/NAME; NIBBLE_UPDATE_GOLDEN=1 writes it instead.
void expect_golden(const std::string& name, const std::string& text) {
  const fs::path path = source_folder() / "tests/cli/golden" / name;
  if (std::getenv("NIBBLE_UPDATE_GOLDEN") != nullptr) write_text_file(path, text);
  ASSERT_TRUE(fs::exists(path)) << "NIBBLE_UPDATE_GOLDEN=1 writes " << path;
  EXPECT_EQ(text, read_text_file(path)) << "NIBBLE_UPDATE_GOLDEN=1 rewrites " << path;
}

TEST(Help, NothingAtAllPrintsTheOverview) {
  const auto result = run_nibble({});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  for (const auto& name : command_names()) EXPECT_TRUE(contains(result.out, "\n  " + name + " "));
  expect_golden("overview.txt", result.out);
  EXPECT_EQ(run_nibble({"--help"}).out, result.out);
  EXPECT_EQ(run_nibble({"help"}).out, result.out);
}

TEST(Help, OfEveryCommandIsTheGoldenOne) {
  for (const auto& name : command_names()) {
    const auto result = run_nibble({name, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    expect_golden(name + ".txt", result.out);
    EXPECT_EQ(run_nibble({"help", name}).out, result.out);
  }
}

TEST(Help, ShortHelpHasOneLineAFlagAndFitsAHundredColumns) {
  for (const auto& name : command_names()) {
    std::istringstream text(run_nibble({name, "-h"}).out);
    for (std::string line; std::getline(text, line);) EXPECT_LE(line.size(), 100u) << line;
    EXPECT_TRUE(flags_of(name).contains("--quiet")) << name;
  }
}

TEST(Help, EveryFlagIsInCompletionsAndDocumentation) {
  const std::string document = read_text_file(source_folder() / "docs/commands.md");
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string script = run_nibble({"completions", shell}).out;
    for (const auto& name : command_names()) {
      for (const auto& flag : flags_of(name)) {
        const std::string spelled = shell == "fish" ? " -l " + flag.substr(2) : flag;
        EXPECT_TRUE(contains(script, spelled)) << name << " " << shell;
      }
    }
  }
  for (const auto& name : command_names()) {
    for (const auto& flag : flags_of(name)) {
      EXPECT_TRUE(document.find(flag) != document.npos) << name << " " << flag;
    }
  }
}

TEST(Help, TopicsExist) {
  for (const std::string topic : {"formats", "exit-codes", "environment"}) {
    const auto result = run_nibble({"help", topic});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_FALSE(result.out.empty());
  }
  expect_refusal({"help", "format"}, 2, {"did you mean formats?"});
  EXPECT_TRUE(contains(run_nibble({"help", "formats"}).out, "INT4     Q4_"));
  EXPECT_TRUE(contains(run_nibble({"help", "environment"}).out, "NIBBLE_KV_TYPE"));
}

TEST(Help, VersionIsOneLineAndOneDocument) {
  const auto result = run_nibble({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(std::regex_match(result.out, std::regex("nibble [0-9.]+( \\([0-9a-z-]+\\))?\n")));
  const auto text = run_nibble({"--version", "--json"}).out;
  const JsonFile json(text, "version");
  EXPECT_EQ(find_string(json.object(), "schema"), "nibble.version/1");
  EXPECT_TRUE(find_string(json.object(), "isa").has_value());
  EXPECT_TRUE(find_string(json.object(), "compiler").has_value());
}

TEST(Completions, AreShellCode) {
  const auto bash = run_nibble({"completions", "bash"});
  const auto checked = run_command({"bash", "-n"}, bash.out);
  EXPECT_EQ(checked.exit_code, 0) << checked.err;
  const auto words =
      run_command({"bash", "-c",
                   "source /dev/stdin; COMP_WORDS=(nibble eval --score ''); COMP_CWORD=3; _nibble; "
                   "echo \"${COMPREPLY[@]}\""},
                  bash.out);
  EXPECT_EQ(words.out, "all second-half\n");
}

TEST(Usage, MissingArgumentsPrintTheShortHelpAndExitWithTwo) {
  for (const std::string name :
       {"inspect", "quantize", "run", "eval", "bench", "convert", "tokenize", "completions"}) {
    const auto result = run_nibble({name});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(contains(result.err, "Usage: nibble " + name));
    EXPECT_TRUE(contains(result.err, "is missing"));
  }
  expect_refusal({"quantize", "model", "--type", "q4_0"}, 2, {"--output PATH is missing"});
}

TEST(Usage, DidYouMean) {
  expect_refusal({"quantise"}, 2, {"no command quantise", "did you mean quantize?"});
  expect_refusal({"--verison"}, 2, {"no flag --verison"});
  expect_refusal({"inspect", "m", "--tensor"}, 2, {"no flag --tensor", "did you mean --tensors?"});
  expect_refusal({"quantize", "m", "-o", "x.gguf", "--type", "Q4_00"}, 2,
                 {"Q4_00", "did you mean Q4_0?"});
  expect_refusal({"eval", "m", "--dynamic", "int44"}, 2, {"--dynamic", "did you mean INT"});
  expect_refusal({"eval", "m", "--score", "al"}, 2, {"--score", "did you mean all?"});
  expect_refusal({"completions", "fihs"}, 2, {"did you mean fish?"});
}

TEST(Usage, ValuesAreChecked) {
  for (const std::string threads : {"0", "-1", "1025", "two", "1.5", ""}) {
    expect_refusal({"bench", "m", "-j", threads}, 2, {"--threads", "from 1 to 1024"});
  }
  expect_refusal({"eval", "m", "--context", "3"}, 2, {"--context", "from 4"});
  expect_refusal({"run", "m", "--top-p", "1.5"}, 2, {"--top-p", "from 0 to 1"});
  expect_refusal({"run", "m", "--temperature", "nan"}, 2, {"--temperature"});
  expect_refusal({"run", "m", "--seed", "99999999999999999999"}, 2, {"--seed"});
  expect_refusal({"convert", "m", "-o", "x.gguf", "--split-max-size", "4XB"}, 2,
                 {"--split-max-size", "is not a size"});
  expect_refusal({"inspect", "a", "b"}, 2, {"\"b\" is one argument too many"});
  expect_refusal({"run", "m", "-n"}, 2, {"-n needs a value"});
  expect_refusal({"run", "m", "-n", "1", "-n", "2"}, 2, {"--tokens was given 2 times"});
}

TEST(Usage, TwoDashesEndTheFlags) {
  const std::string model = shipped_model();
  EXPECT_EQ(run_nibble({"inspect", "--tensors", "--", model}).exit_code, 0);
  expect_refusal({"inspect", "--", model, "--tensors"}, 2, {"--tensors"});
  EXPECT_EQ(run_nibble({"tokenize", model, "-p", "--", "--pieces"}).exit_code, 0);
}

TEST(Usage, NoFlagIsIgnored) {
  const std::string model = shipped_model();
  expect_refusal({"run", model, "-p", "a", "--temperature", "0", "--top-k", "3"}, 2,
                 {"--top-k has no effect with --temperature 0"});
  expect_refusal({"run", model, "-p", "a", "--temperature", "0", "--seed", "3"}, 2, {"--seed"});
  expect_refusal({"tokenize", model, "-p", "a", "--decode", "1"}, 2, {"--prompt", "--decode"});
  expect_refusal({"tokenize", model, "--decode", "1", "--pieces"}, 2, {"--pieces", "--decode"});
  expect_refusal({"eval", model, "--text", "t", "-f"}, 2, {"--force has no effect", "--log-probs"});
  expect_refusal({"inspect", model, "-q", "-v"}, 2, {"--quiet and --verbose exclude each other"});
  expect_refusal({"convert", model, "-o", "folder", "--split-max-size", "1MB"}, 2,
                 {"--split-max-size has no effect", "--output folder"});
  expect_refusal({"convert", model, "-o", "x.gguf", "--type", "Q4_0"}, 2, {"nibble quantize"});
}

TEST(Usage, VariablesStandForFlagsAndTheCommandLineGoesFirst) {
  const std::string model = shipped_model();
  const ScopedVariable json("NIBBLE_JSON", "1");
  const auto result = run_nibble({"inspect", model});
  EXPECT_EQ(find_string(JsonFile(result.out, "out").object(), "schema"), "nibble.inspect/1");
  const ScopedVariable threads("NIBBLE_THREADS", "none");
  expect_refusal({"bench", model}, 2, {"NIBBLE_THREADS", "from 1 to 1024"});
  // A variable never fights with a flag that excludes its own.
  const ScopedVariable text("NIBBLE_TEXT", "/nowhere");
  EXPECT_EQ(run_nibble({"tokenize", model, "-p", "a"}).exit_code, 0);
}

TEST(Usage, FilesThatAreNotModelsAreBadInput) {
  const TemporaryFolder folder;
  write_text_file(folder / "x.gguf", "GGUF but not really");
  expect_refusal({"inspect", folder / "x.gguf"}, 4, {"x.gguf"});
  expect_refusal({"inspect", folder / "absent.gguf"}, 4, {"absent.gguf"});
  expect_refusal({"run", folder.path(), "-p", "a"}, 4, {folder.path()});
}

TEST(Usage, AClosedReaderIsNoError) {
  const auto result = run_command(
      {"bash", "-c",
       "set -o pipefail; " + nibble_program().string() + " completions zsh | head -n 1"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, "#compdef nibble\n");
}

TEST(Usage, AFullDiskBehindStandardOutputIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto result =
      run_command({"bash", "-c", nibble_program().string() + " completions zsh > /dev/full"});
  EXPECT_EQ(result.exit_code, 5);
  EXPECT_TRUE(contains(result.err, "standard output"));
}

TEST(Usage, MessagesNobodyCanReadAreNoReasonToFail) {
  const TemporaryFolder folder;
  const std::string command = nibble_program().string() + " quantize " + shipped_model().string() +
                              " --type INT4 -v -o " + (folder / "m.gguf").string();
  std::string written;
  for (const std::string redirection : {"2>/dev/null", "2>/dev/full", "2>&-", "0<&- 2>&-"}) {
    SCOPED_TRACE(redirection);
    const auto result = run_command({"bash", "-c", command + " -f " + redirection});
    EXPECT_EQ(result.exit_code, 0);
    const std::string bytes = read_text_file(folder / "m.gguf");
    if (written.empty()) written = bytes;
    EXPECT_TRUE(bytes == written);  // no message went into the file
  }
}

TEST(Usage, GlyphsFollowTheLocale) {
  const TemporaryFolder folder;
  std::string text;
  while (text.size() < 400) text += "The old house stood at the end of the lane. ";
  write_text_file(folder / "text.txt", text);
  const std::vector<std::string> words = {
      "eval", shipped_model(), "--text", folder / "text.txt", "--context", "16"};
  {
    const ScopedVariable all("LC_ALL", "C");
    EXPECT_TRUE(contains(run_nibble(words).out, " +- "));
  }
  const ScopedVariable all("LC_ALL", "C.UTF-8");
  EXPECT_TRUE(contains(run_nibble(words).out, " ± "));
}

}  // namespace
}  // namespace nibble::test
