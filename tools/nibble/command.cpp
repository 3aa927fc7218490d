#include "command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"
#include "base/log.h"
#include "base/suggest.h"
#include "base/units.h"

namespace nibble::cli {
namespace {

// "--kv-type" is NIBBLE_KV_TYPE.
std::string environment_name(std::string_view long_name) {
  std::string name = "NIBBLE_";
  for (const char c : long_name.substr(2)) {
    name += c == '-' ? '_' : char(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

uint64_t to_integer(std::string_view text, uint64_t min, uint64_t max) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < min || value > max) {
    throw usage_error("\"{}\" is not a whole number from {} to {}", text, min, max);
  }
  return value;
}

double to_number(std::string_view text, double min, double max) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || !(value >= min && value <= max)) {
    if (std::isinf(max)) throw usage_error("\"{}\" is not a number of {} or more", text, min);
    throw usage_error("\"{}\" is not a number from {} to {}", text, min, max);
  }
  return value;
}

bool to_switch(std::string_view text) {
  for (const std::string_view yes : {"1", "true", "yes", "on"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"", "0", "false", "no", "off"}) {
    if (text == no) return false;
  }
  throw usage_error("\"{}\" is neither 1 nor 0", text);
}

std::string to_choice(std::string_view text, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), text) != choices.end()) return std::string(text);
  const std::vector<std::string_view> names(choices.begin(), choices.end());
  throw usage_error("\"{}\" is none of {}", text, fmt::join(choices, ", "))
      .hint(did_you_mean(text, names));
}

}  // namespace

std::string Option::spelling() const {
  std::string text = short_name.empty() ? long_name : fmt::format("{}, {}", short_name, long_name);
  if (!positional && !value_name.empty()) text += " " + value_name;
  return text;
}

CommandLine::CommandLine(std::string_view name, Command& command) : name_(name) {
  command.declare(*this);
  group("Logging and help");
  flag("-q,--quiet", &quiet_, "say nothing but results and errors (default: off)");
  flag("-v,--verbose", &verbose_, "say more (default: off)");
  exclusive({"--quiet", "--verbose"});
  flag("-h", &short_help_, "this list, one line per flag").env("");
  flag("--help", &long_help_, "the same with examples and explanations").env("");
}

// ---- declaring ----

Option& CommandLine::add(std::string_view names, std::string_view value, Takes takes,
                         std::string_view help) {
  Option& option = options_.emplace_back();
  const size_t comma = names.find(',');
  if (comma != names.npos) option.short_name = names.substr(0, comma);
  option.long_name = comma == names.npos ? names : names.substr(comma + 1);
  option.environment = environment_name(option.long_name);
  option.value_name = value;
  option.takes = takes;
  option.help = help;
  option.group = group_;
  return option;
}

Option& CommandLine::positional(std::string_view name, std::string* into, std::string_view help,
                                std::vector<std::string> choices) {
  Option& option = options_.emplace_back();
  option.long_name = option.value_name = name;
  option.takes = choices.empty() ? Takes::kPath : Takes::kChoice;
  option.choices = choices;
  option.help = help;
  option.group = "Arguments";
  option.positional = option.required = true;
  option.set = [into, choices](std::string_view text) {
    *into = choices.empty() ? text : to_choice(text, choices);
  };
  return option;
}

Option& CommandLine::flag(std::string_view names, bool* into, std::string_view help) {
  Option& option = add(names, "", Takes::kNothing, help);
  option.set = [into](std::string_view text) { *into = to_switch(text); };
  return option;
}

Option& CommandLine::text(std::string_view names, std::string_view value, std::string* into,
                          std::string_view help) {
  Option& option = add(names, value, Takes::kText, help);
  option.set = [into](std::string_view text) { *into = text; };
  return option;
}

Option& CommandLine::text(std::string_view names, std::string_view value,
                          std::optional<std::string>* into, std::string_view help) {
  Option& option = add(names, value, Takes::kText, help);
  option.set = [into](std::string_view text) { *into = std::string(text); };
  return option;
}

Option& CommandLine::texts(std::string_view names, std::string_view value,
                           std::vector<std::string>* into, std::string_view help) {
  Option& option = add(names, value, Takes::kText, help);
  option.repeatable = true;
  option.set = [into](std::string_view text) { into->emplace_back(text); };
  return option;
}

Option& CommandLine::path(std::string_view names, std::string_view value, std::string* into,
                          std::string_view help) {
  Option& option = text(names, value, into, help);
  option.takes = Takes::kPath;
  return option;
}

Option& CommandLine::integer(std::string_view names, uint64_t* into, uint64_t min, uint64_t max,
                             std::string_view help) {
  Option& option = add(names, "N", Takes::kText, help);
  option.set = [=](std::string_view text) { *into = to_integer(text, min, max); };
  return option;
}

Option& CommandLine::integer(std::string_view names, std::optional<uint64_t>* into, uint64_t min,
                             uint64_t max, std::string_view help) {
  Option& option = add(names, "N", Takes::kText, help);
  option.set = [=](std::string_view text) { *into = to_integer(text, min, max); };
  return option;
}

Option& CommandLine::number(std::string_view names, std::optional<double>* into, double min,
                            double max, std::string_view help) {
  Option& option = add(names, "X", Takes::kText, help);
  option.set = [=](std::string_view text) { *into = to_number(text, min, max); };
  return option;
}

Option& CommandLine::bytes(std::string_view names, uint64_t* into, std::string_view help) {
  Option& option = add(names, "SIZE", Takes::kText, help);
  option.set = [into](std::string_view text) { *into = parse_bytes(text); };
  return option;
}

Option& CommandLine::format(std::string_view names, const Format** into, std::string_view help) {
  Option& option = add(names, "TYPE", Takes::kFormat, help);
  option.set = [into](std::string_view text) { *into = &format_by_name(text); };
  return option;
}

Option& CommandLine::choice(std::string_view names, std::vector<std::string> choices,
                            std::string* into, std::string_view help) {
  Option& option = add(names, fmt::format("{}", fmt::join(choices, "|")), Takes::kChoice, help);
  option.choices = choices;
  option.set = [into, choices](std::string_view text) { *into = to_choice(text, choices); };
  return option;
}

void CommandLine::threads(uint64_t* into) {
  integer("-j,--threads", into, 1, 1024, "threads (default: one per core this process may use)");
}

void CommandLine::json(bool* into) {
  flag("--json", into, "print one JSON document instead of text (default: off)");
}

void CommandLine::force(bool* into) {
  flag("-f,--force", into, "replace the output if it exists (default: refuse)");
}

// ---- parsing ----

void CommandLine::parse(std::span<const std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<CLI::Option*> parsed;
  for (const auto& option : options_) {
    const std::string names =
        option.short_name.empty() ? option.long_name : option.short_name + "," + option.long_name;
    const bool is_switch = option.takes == Takes::kNothing;
    CLI::Option* rule = is_switch
                            ? app.add_flag(names)
                            : app.add_option(names, [](const CLI::results_t&) { return true; });
    if (!is_switch) rule->type_size(1)->expected(1);
    parsed.push_back(rule->multi_option_policy(CLI::MultiOptionPolicy::TakeAll));
  }
  std::vector<std::string> reversed(words.rbegin(), words.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ArgumentMismatch&) {
    throw usage_error("{} needs a value", words.empty() ? name_ : words.back());
  } catch (const CLI::ParseError& error) {
    throw usage_error("{}", error.what());
  }
  for (const auto& word : app.remaining()) {
    if (word != "--") reject(word);
  }
  for (size_t i = 0; i < options_.size(); ++i) {
    const auto& values = parsed[i]->results();
    if (values.size() > 1 && !options_[i].repeatable && options_[i].takes != Takes::kNothing) {
      throw usage_error("{} was given {} times", options_[i].long_name, values.size());
    }
    for (const auto& value : values) apply(options_[i], value, options_[i].long_name);
    if (!values.empty()) spelled_.push_back(options_[i].long_name);
  }
  if (short_help_ || long_help_) return;
  check_exclusive();
  apply_environment();
  log::set_level(quiet_     ? log::Level::kQuiet
                 : verbose_ ? log::Level::kVerbose
                            : log::Level::kNormal);
}

void CommandLine::apply(Option& option, std::string_view value, std::string_view source) {
  try {
    option.set(value);
  } catch (Error& error) {
    throw error.at(source);
  }
}

void CommandLine::apply_environment() {
  for (auto& option : options_) {
    if (option.environment.empty() || spelled(option.long_name) || hidden(option)) continue;
    const char* value = std::getenv(option.environment.c_str());
    if (value == nullptr || *value == 0) continue;
    apply(option, value, option.environment);
    from_environment_.push_back(option.long_name);
  }
}

const std::string* CommandLine::spelled_among(const std::vector<std::string>& names,
                                              std::string_view but) const {
  for (const auto& name : names) {
    if (name != but && spelled(name)) return &name;
  }
  return nullptr;
}

void CommandLine::check_exclusive() const {
  for (const auto& names : exclusive_) {
    const std::string* first = spelled_among(names, "");
    const std::string* second = first == nullptr ? nullptr : spelled_among(names, *first);
    if (second != nullptr) throw usage_error("{} and {} exclude each other", *first, *second);
  }
}

bool CommandLine::hidden(const Option& option) const {
  return std::any_of(exclusive_.begin(), exclusive_.end(), [&](const auto& names) {
    const bool member = std::find(names.begin(), names.end(), option.long_name) != names.end();
    return member && spelled_among(names, option.long_name) != nullptr;
  });
}

void CommandLine::reject(const std::string& word) const {
  if (word.size() < 2 || word[0] != '-') {
    throw usage_error("\"{}\" is one argument too many", word)
        .hint(fmt::format("nibble {} -h lists what it takes", name_));
  }
  std::vector<std::string_view> names;
  for (const auto& option : options_) {
    if (!option.positional) names.push_back(option.long_name);
  }
  const std::string name = word.substr(0, word.find('='));
  const std::string near = name.starts_with("--") ? did_you_mean(name, names) : "";
  throw usage_error("nibble {} has no flag {}", name_, name)
      .hint(near.empty() ? fmt::format("nibble {} -h lists the flags", name_) : near);
}

void CommandLine::check_required() const {
  for (const auto& option : options_) {
    if (!option.required || given(option.long_name)) continue;
    throw usage_error("{} is missing", option.spelling());
  }
}

bool CommandLine::spelled(std::string_view name) const {
  return std::find(spelled_.begin(), spelled_.end(), name) != spelled_.end();
}

bool CommandLine::given(std::string_view name) const {
  return spelled(name) || std::find(from_environment_.begin(), from_environment_.end(), name) !=
                              from_environment_.end();
}

void CommandLine::refuse(std::string_view name, std::string_view because_of) const {
  if (spelled(name)) throw usage_error("{} has no effect with {}", name, because_of);
}

}  // namespace nibble::cli
