#include "model/side_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace nibble {

fs::path folder_of(const fs::path& path) {
  if (fs::is_directory(path)) return path;
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

std::string folder_name(const fs::path& folder) {
  std::error_code ignored;
  fs::path full = fs::weakly_canonical(folder, ignored);
  if (!full.has_filename()) full = full.parent_path();
  const std::string cache_name = full.parent_path().parent_path().filename().string();
  if (full.parent_path().filename() == "snapshots" && cache_name.starts_with("models--")) {
    return cache_name.substr(cache_name.rfind("--") + 2);
  }
  return full.filename().string();
}

// ---- chat template ----

namespace {

// A list of named templates: the one called "default", else the first.
std::string_view default_template(simdjson::dom::array templates) {
  std::string_view chosen;
  for (const auto entry : templates) {
    JsonObject named;
    if (entry.get(named)) throw bad_input("\"chat_template\": expected objects in the list");
    const std::string_view text = find_string(named, "template").value_or("");
    if (find_string(named, "name").value_or("") == "default") return text;
    if (chosen.empty()) chosen = text;
  }
  return chosen;
}

}  // namespace

std::string read_chat_template(const fs::path& folder) {
  const fs::path separate = folder / "chat_template.jinja",
                 config = folder / "tokenizer_config.json";
  if (fs::exists(separate)) return read_text_file(separate, uint64_t(16) << 20);
  if (!fs::exists(config)) return "";
  const JsonFile json = JsonFile::read(config);
  const JsonObject object = json.object();
  try {
    const auto value = find_value(object, "chat_template");
    simdjson::dom::array list;
    if (value && !value->get(list)) return std::string(default_template(list));
    return std::string(find_string(object, "chat_template").value_or(""));
  } catch (Error& error) {
    error.at(json.name());
    throw;
  }
}

// ---- generation defaults ----

namespace {

// One number of both spellings. Repetition penalties of 0 would divide by it.
struct SamplingField {
  std::string_view hf, gguf;
  std::optional<double> GenerationDefaults::*member;
  double min, max;
};
constexpr std::array kSamplingFields = {
    SamplingField{"temperature", "general.sampling.temp", &GenerationDefaults::temperature, 0, 100},
    SamplingField{"top_p", "general.sampling.top_p", &GenerationDefaults::top_p, 0, 1},
    SamplingField{"min_p", "general.sampling.min_p", &GenerationDefaults::min_p, 0, 1},
    SamplingField{"repetition_penalty", "general.sampling.penalty_repeat",
                  &GenerationDefaults::repetition_penalty, 1e-3, 100},
};
constexpr std::string_view kGgufTopK = "general.sampling.top_k";

double checked(std::string_view key, double value, const SamplingField& field) {
  if (value >= field.min && value <= field.max) return value;
  throw bad_input("\"{}\": expected {} to {}, got {}", key, field.min, field.max, value);
}

// 0, and -1 as some write it, mean no limit.
int64_t checked_top_k(int64_t value) { return std::clamp<int64_t>(value, 0, kMaxVocabulary); }

}  // namespace

GenerationDefaults read_generation_defaults(const fs::path& folder) {
  GenerationDefaults defaults;
  const fs::path file = folder / "generation_config.json";
  if (!fs::exists(file)) return defaults;
  const JsonFile json = JsonFile::read(file);
  const JsonObject config = json.object();
  try {
    for (const SamplingField& field : kSamplingFields) {
      const auto value = find_number(config, field.hf);
      if (value) defaults.*field.member = checked(field.hf, *value, field);
    }
    if (const auto k = find_int(config, "top_k")) defaults.top_k = checked_top_k(*k);
    defaults.do_sample = find_bool(config, "do_sample");
  } catch (Error& error) {
    error.at(json.name());
    throw;
  }
  return defaults;
}

GenerationDefaults read_generation_defaults(const Metadata& metadata) {
  GenerationDefaults defaults;
  for (const SamplingField& field : kSamplingFields) {
    const auto value = metadata.get_number(field.gguf);
    if (value) defaults.*field.member = checked(field.gguf, *value, field);
  }
  if (const auto k = metadata.get_int(kGgufTopK)) defaults.top_k = checked_top_k(*k);
  // No key says whether to sample at all; a temperature does.
  if (defaults.temperature) defaults.do_sample = *defaults.temperature > 0;
  return defaults;
}

void write_generation_defaults(const GenerationDefaults& defaults, Metadata& metadata) {
  for (const SamplingField& field : kSamplingFields) {
    const auto value = defaults.*field.member;
    if (value) metadata.set(std::string(field.gguf), float(*value));
  }
  if (defaults.top_k) metadata.set(std::string(kGgufTopK), int32_t(*defaults.top_k));
}

// ---- copying a folder ----

namespace {

// Names without their weights and without code: nothing that is copied is ever executed.
bool is_side_file(const std::string& name) {
  constexpr std::string_view kNames[] = {"tokenizer.json",
                                         "tokenizer.model",
                                         "tokenizer_config.json",
                                         "vocab.json",
                                         "merges.txt",
                                         "special_tokens_map.json",
                                         "added_tokens.json",
                                         "chat_template.jinja",
                                         "chat_template.json",
                                         "generation_config.json"};
  constexpr std::string_view kBeginnings[] = {"LICENSE", "LICENCE", "NOTICE", "USE_POLICY"};
  if (std::ranges::find(kNames, name) != std::end(kNames)) return true;
  if (name.ends_with(".py")) return false;
  return std::ranges::any_of(kBeginnings, [&](std::string_view b) { return name.starts_with(b); });
}

// config.json with another dtype under the name the file uses for it (transformers 5: "dtype").
std::string with_dtype(const fs::path& file, std::string_view dtype) try {
  auto config = nlohmann::ordered_json::parse(read_text_file(file));
  config[config.contains("dtype") ? "dtype" : "torch_dtype"] = dtype;
  return config.dump(2) + "\n";
} catch (const nlohmann::json::exception& error) {
  throw bad_input("not valid JSON: {}", error.what()).at(file.string());
}

}  // namespace

void remove_side_files(const fs::path& folder) {
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (is_side_file(entry.path().filename().string())) old.push_back(entry.path());
  }
  for (const auto& path : old) fs::remove(path);
}

void copy_side_files(const fs::path& from, const fs::path& to, std::string_view dtype) {
  for (const auto& entry : fs::directory_iterator(from)) {
    const std::string name = entry.path().filename().string();
    if (!is_side_file(name) || !entry.is_regular_file() || same_file(entry.path(), to / name)) {
      continue;
    }
    write_text_file(to / name, read_text_file(entry.path()));
  }
  write_text_file(to / "config.json", with_dtype(from / "config.json", dtype));
}

}  // namespace nibble
