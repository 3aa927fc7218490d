#include "write_model.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "base/units.h"
#include "json_document.h"
#include "output.h"

namespace nibble::cli {
namespace {

// One warning per reason, with the first names; -v lists all.
void report_fallbacks(const QuantizeReport& report) {
  std::map<std::string, std::vector<const TensorReport*>> by_reason;
  for (const auto& tensor : report.tensors) {
    if (tensor.fallback) by_reason[tensor.reason].push_back(&tensor);
  }
  for (const auto& [reason, tensors] : by_reason) {
    const std::string others =
        tensors.size() == 1 ? "" : fmt::format(" and {} more", tensors.size() - 1);
    log::warn("{}{}: written as {}, because {}", tensors[0]->name, others, tensors[0]->to->name,
              reason);
    for (const auto* tensor : tensors) log::debug("  {}", tensor->name);
  }
}

// "120 Q4_0, 13 F32, 1 Q8_0"
std::string format_counts(const QuantizeReport& report) {
  std::map<std::string_view, size_t> counts;
  for (const auto& tensor : report.tensors) ++counts[tensor.to->name];
  std::vector<std::string> parts;
  for (const auto& [name, count] : counts) parts.push_back(fmt::format("{} {}", count, name));
  return fmt::format("{}", fmt::join(parts, ", "));
}

void print_json(const CommandLine& line, const WriteFlags& flags, const Recipe& recipe,
                const Method& method, const QuantizeReport& report) {
  Json json = Json::document(fmt::format("nibble.{}/1", line.name()));
  json.set("output", flags.output);
  json.set("dry_run", flags.dry_run);
  json.set("type", recipe.name());
  json.set("method", method.name);
  json.set("parameters", report.parameters);
  json.set("bytes_in", report.bytes_in);
  json.set("bytes_out", report.bytes_out);
  json.set("file_bytes", report.file_bytes);
  json.set("bits_per_weight", report.bits_per_weight());
  if (flags.dry_run) {
    json.set_null("seconds");
  } else {
    json.set("seconds", report.seconds);
    json.set("peak_private_bytes", report.peak_private_bytes);
  }
  Json tensors = Json::array();
  for (const auto& tensor : report.tensors) {
    Json row = Json::object();
    row.set("name", tensor.name);
    Json shape = Json::array();
    for (const uint64_t n : tensor.shape) shape.push(n);
    row.set("shape", std::move(shape));
    if (tensor.from != nullptr) row.set("from", tensor.from->name);
    row.set("to", tensor.to->name);
    row.set("bytes", tensor.bytes);
    row.set("reason", tensor.reason);
    row.set("fallback", tensor.fallback);
    tensors.push(std::move(row));
  }
  json.set("tensors", std::move(tensors));
  json.print();
}

// The file or folder to name in the next command: of a file in parts, its first part.
std::string written_path(const WriteFlags& flags, const QuantizeReport& report) {
  const bool folder = layout_by_name(flags.output) == OutputLayout::kFolder;
  return folder ? flags.output : report.files.front().path.string();
}

void print_summary(const WriteFlags& flags, const Recipe& recipe, const Method& method,
                   const QuantizeReport& report) {
  Fields fields;
  fields.add("output", "{}{}", flags.output, flags.dry_run ? " (dry run: nothing written)" : "");
  const bool rounds = recipe.base() != nullptr && recipe.base()->is_quantized();
  const std::string how = rounds ? fmt::format(" by {}", method.name) : "";
  fields.add("type", "{}{}: {}", recipe.name(), how, format_counts(report));
  fields.add("size", "{}", format_bytes(report.file_bytes));
  const double ratio = double(report.bytes_in) / double(std::max<uint64_t>(report.bytes_out, 1));
  fields.add("weights", "{} {} {}{}", format_bytes(report.bytes_in), glyphs().arrow,
             format_bytes(report.bytes_out),
             ratio > 1.005 ? fmt::format(", {:.2f}{} smaller", ratio, glyphs().times) : "");
  fields.add("bits per weight", "{:.3f}", report.bits_per_weight());
  if (!flags.dry_run) {
    fields.add("time", "{}, {:.0f} MB/s of input", format_duration(report.seconds),
               double(report.bytes_in) / 1e6 / std::max(report.seconds, 1e-6));
    fields.add("memory", "{} at most, mapped files left out",
               format_bytes(report.peak_private_bytes));
  }
  fields.print();
}

// A path as a shell wants it typed.
std::string shell_word(const std::string& path) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./,:+@%=";
  if (!path.empty() && path.find_first_not_of(kPlain) == path.npos) return path;
  std::string out = "'";
  for (const char c : path) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

namespace {

// Rounding what was rounded before adds a second error to the first.
void warn_of_requantizing(const QuantizeReport& report) {
  for (const auto& tensor : report.tensors) {
    const bool again = tensor.from != nullptr && tensor.from->is_quantized() &&
                       tensor.to->is_quantized() && tensor.from != tensor.to;
    if (!again) continue;
    log::warn(
        "the model is quantized already ({}); its loss stays, and this one comes on top. "
        "Quantize the original where you have it.",
        tensor.from->name);
    return;
  }
}

}  // namespace

void WriteFlags::declare_paths(CommandLine& line) {
  line.positional("MODEL", &model, "a Hugging Face folder or a GGUF file");
  line.group("Output");
  line.path("-o,--output", "PATH", &output, "NAME.gguf is a GGUF file, any other name a folder")
      .require();
  line.force(&overwrite);
  line.bytes("--split-max-size", &split_max_bytes,
             "most bytes of a part of a GGUF file, like 4GiB (default: one file)");
}

void WriteFlags::declare_resources(CommandLine& line) {
  line.group("Resources");
  line.flag("--dry-run", &dry_run, "check and report, write nothing (default: off)");
  line.threads(&threads);
  line.group("Report");
  line.json(&json);
}

void write_model(const CommandLine& line, const WriteFlags& flags, const Recipe& recipe,
                 const Method& method) {
  QuantizeOptions options{.output = flags.output,
                          .layout = layout_by_name(flags.output),
                          .method = &method,
                          .overwrite = flags.overwrite,
                          .split_max_bytes = flags.split_max_bytes};
  if (options.layout == OutputLayout::kFolder) {
    line.refuse("--split-max-size", fmt::format("--output {}, which is a folder", flags.output));
  }
  const auto checkpoint = Checkpoint::open(flags.model);
  recipe.check_rules(*checkpoint);
  QuantizeReport report = plan_quantize(*checkpoint, recipe, options);
  report_fallbacks(report);
  warn_of_requantizing(report);
  if (!flags.dry_run) {
    ThreadPool pool{unsigned(flags.threads)};
    report = quantize(*checkpoint, recipe, options, pool);
  }
  if (flags.json) {
    print_json(line, flags, recipe, method, report);
    return;
  }
  print_summary(flags, recipe, method, report);
  if (!flags.dry_run) {
    flush_output();
    log::info("next: nibble eval {} --base {}", shell_word(written_path(flags, report)),
              shell_word(flags.model));
  }
}

}  // namespace nibble::cli
