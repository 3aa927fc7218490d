#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/log.h"
#include "base/units.h"
#include "command.h"
#include "json_document.h"
#include "model/checkpoint.h"
#include "output.h"

namespace nibble::cli {
namespace {

constexpr size_t kArrayItemsShown = 6, kArrayItemsInJson = 64;

// One tensor as inspect lists it: by nibble's name where the architecture is known.
struct Row {
  std::string name, stored_name;
  const TensorInfo* info;
};

std::string shape_text(const std::vector<uint64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

std::string item_text(const std::string& item) {
  return fmt::format("\"{}\"", printable(item, 24));
}
template <typename T>
std::string item_text(const T& item) {
  return fmt::format("{}", item);
}

// A value on one line: scalars whole, arrays as their length and first items.
std::string value_text(const MetadataArray& array) {
  return std::visit(
      [](const auto& items) {
        std::string text = fmt::format("{} items:", items.size());
        for (size_t i = 0; i < std::min(items.size(), kArrayItemsShown); ++i) {
          text += " " + item_text(typename std::decay_t<decltype(items)>::value_type(items[i]));
        }
        return items.size() > kArrayItemsShown ? text + " " + std::string(glyphs().ellipsis) : text;
      },
      array);
}
std::string value_text(const std::string& value) { return printable(value); }
template <typename T>
std::string value_text(const T& value) {
  return fmt::format("{}", value);
}

// Long arrays become {"length": n, "first": [...]}.
template <typename Items>
Json items_json(const Items& items, size_t count) {
  Json json = Json::array();
  for (size_t i = 0; i < count; ++i) {
    const typename Items::value_type item = items[i];
    if constexpr (std::is_same_v<typename Items::value_type, float>)
      json.push(double(item));
    else
      json.push(item);
  }
  return json;
}

void set_value(Json& json, const std::string& key, const MetadataArray& array) {
  std::visit(
      [&](const auto& items) {
        if (items.size() <= kArrayItemsInJson) {
          json.set(key, items_json(items, items.size()));
          return;
        }
        Json abbreviated = Json::object();
        abbreviated.set("length", items.size());
        abbreviated.set("first", items_json(items, kArrayItemsShown));
        json.set(key, std::move(abbreviated));
      },
      array);
}
void set_value(Json& json, const std::string& key, const std::string& value) {
  json.set(key, std::string_view(value));
}
template <typename T>
void set_value(Json& json, const std::string& key, const T& value) {
  if constexpr (std::is_same_v<T, float>)
    json.set(key, double(value));
  else
    json.set(key, value);
}

// Bytes of the weight files: the file itself, its siblings of a split, or those of the folder.
uint64_t file_bytes(const fs::path& path) {
  const std::string name = path.filename().string();
  const size_t of = name.rfind("-of-");
  const bool is_folder = fs::is_directory(path);
  const bool is_index = name.ends_with(".index.json");
  const bool is_split = of != name.npos && of >= 6 && name.ends_with(".gguf");
  if (!is_folder && !is_index && !is_split) return fs::file_size(path);
  uint64_t total = 0;
  for (const auto& entry : fs::directory_iterator(is_folder ? path : path.parent_path())) {
    const std::string other = entry.path().filename().string();
    const bool sibling = other.size() == name.size() &&
                         other.compare(0, of - 5, name, 0, of - 5) == 0 && other.ends_with(".gguf");
    if (!entry.is_regular_file()) continue;
    if (is_split ? sibling : other.ends_with(".safetensors") || other.ends_with(".gguf")) {
      total += entry.file_size();
    }
  }
  return total;
}

class Inspect : public Command {
 public:
  void declare(CommandLine& line) override {
    line.positional("MODEL", &model_, "a Hugging Face folder, a GGUF or a safetensors file");
    line.group("Output");
    line.flag("--tensors", &only_tensors_, "only the table of tensors (default: everything)");
    line.flag("--metadata", &only_metadata_, "only the metadata (default: everything)");
    line.json(&json_);
  }

  void run(const CommandLine&) override {
    open();
    if (json_) return print_json();
    const bool all = !only_tensors_ && !only_metadata_;
    if (all) print_overview();
    if (all) print("\n");
    if (all || only_tensors_) print_tensors();
    if (all || (only_tensors_ && only_metadata_)) print("\n");
    if (all || only_metadata_) print_metadata();
  }

 private:
  // A model nibble can run, or at least its container.
  void open() {
    try {
      checkpoint_ = Checkpoint::open(model_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kBadInput) throw;
      container_ = open_container(model_);
      problem_ = error.message();
      log::warn("only tensors and metadata can be shown: {}", printable(problem_, 400));
    }
    if (checkpoint_) {
      for (const auto& tensor : checkpoint_->tensors()) {
        rows_.push_back({tensor.name, tensor.info.name, &tensor.info});
      }
    } else {
      for (const auto& info : reader().tensors()) rows_.push_back({info.name, info.name, &info});
    }
    for (const auto& row : rows_) {
      parameters_ += row.info->elements();
      weight_bytes_ += row.info->bytes();
    }
    if (checkpoint_) parameters_ = checkpoint_->parameters();
  }

  const Reader& reader() const { return checkpoint_ ? checkpoint_->reader() : *container_; }
  double bits_per_weight() const {
    return parameters_ == 0 ? 0 : 8.0 * double(weight_bytes_) / double(parameters_);
  }

  std::string architecture() const {
    if (checkpoint_) return std::string(checkpoint_->arch().name);
    if (const auto* value = reader().metadata().find("general.architecture")) {
      if (const auto* name = std::get_if<std::string>(value)) return printable(*name);
    }
    return "";
  }

  // "72.1 % Q4_0, 27.9 % Q8_0" by parameters.
  std::string formats_text() const {
    std::map<std::string_view, uint64_t> counts;
    for (const auto& row : rows_) counts[row.info->format->name] += row.info->elements();
    std::vector<std::pair<uint64_t, std::string_view>> sorted;
    for (const auto& [name, count] : counts) sorted.emplace_back(count, name);
    std::sort(sorted.rbegin(), sorted.rend());
    std::string text;
    for (const auto& [count, name] : sorted) {
      text += fmt::format("{}{:.3g} % {}", text.empty() ? "" : ", ",
                          100.0 * double(count) / double(std::max<uint64_t>(parameters_, 1)), name);
    }
    return text;
  }

  void print_overview() const {
    Fields fields;
    fields.add("model", "{}", printable(model_, 1000));
    fields.add("container", "{}, {} tensors, {}", reader().container(), reader().tensors().size(),
               format_bytes(file_bytes(model_)));
    if (const std::string name = architecture(); !name.empty())
      fields.add("architecture", "{}", name);
    fields.add("parameters", "{} ({})", format_count(parameters_), parameters_);
    fields.add("bits per weight", "{:.3f}: {}", bits_per_weight(), formats_text());
    if (checkpoint_) add_model(fields);
    fields.print();
  }

  void add_model(Fields& fields) const {
    const Hyperparameters& h = checkpoint_->hyperparameters();
    fields.add("shape", "{} layers, hidden {}, feed-forward {}, {} heads of {}, {} KV heads",
               h.layers, h.hidden, h.ffn, h.heads, h.head_dim, h.kv_heads);
    fields.add("vocabulary", "{}{}", h.vocabulary,
               h.tied_embeddings ? ", output tied to the embedding" : "");
    fields.add("context", "{} positions, rotary base {}{}", h.context, h.rope_base,
               h.sliding_window == 0 ? "" : fmt::format(", sliding window {}", h.sliding_window));
    try {
      const Tokenizer& tokenizer = checkpoint_->tokenizer();
      fields.add("tokenizer", "{}, {} tokens, BOS {}, EOS {}", tokenizer.kind(),
                 tokenizer.vocabulary_size(), tokenizer.special().bos, tokenizer.special().eos);
    } catch (const Error& error) {
      fields.add("tokenizer", "none: {}", printable(error.message(), 200));
    }
    const std::string& chat = checkpoint_->chat_template();
    fields.add("chat template", "{}",
               chat.empty() ? "none" : fmt::format("{} bytes: {}", chat.size(), printable(chat)));
  }

  void print_tensors() const {
    const bool renamed = std::any_of(rows_.begin(), rows_.end(),
                                     [](const Row& r) { return r.name != r.stored_name; });
    std::vector<Table::Column> columns = {{"tensor"}, {"shape"}, {"type"}, {"bytes", true}};
    if (renamed) columns.push_back({"stored as"});
    Table table(columns);
    for (const auto& row : rows_) {
      std::vector<std::string> cells = {printable(row.name, 200), shape_text(row.info->shape),
                                        std::string(row.info->format->name),
                                        fmt::format("{}", row.info->bytes())};
      if (renamed) cells.push_back(printable(row.stored_name, 200));
      table.add(std::move(cells));
    }
    table.print();
  }

  void print_metadata() const {
    Table table({{"key"}, {"type"}, {"value"}});
    for (const auto& [key, value] : reader().metadata().entries()) {
      table.add({printable(key, 200), metadata_type_name(value),
                 std::visit([](const auto& v) { return value_text(v); }, value)});
    }
    table.print();
  }

  void print_json() const {
    Json json = Json::document("nibble.inspect/1");
    json.set("container", reader().container());
    json.set("parameters", parameters_);
    json.set("file_bytes", file_bytes(model_));
    json.set("weight_bytes", weight_bytes_);
    json.set("bits_per_weight", bits_per_weight());
    const std::string name = architecture();
    json.set("architecture", name.empty() ? std::nullopt : std::optional<std::string_view>(name));
    if (checkpoint_) {
      json.set("hyperparameters", hyperparameters_json());
      json.set("tokenizer", tokenizer_json());
      json.set("chat_template_bytes", checkpoint_->chat_template().size());
    } else {
      json.set_null("hyperparameters");
      json.set("problem", problem_);
    }
    if (only_tensors_ || !only_metadata_) json.set("tensors", tensors_json());
    if (only_metadata_ || !only_tensors_) json.set("metadata", metadata_json());
    json.print();
  }

  Json hyperparameters_json() const {
    const Hyperparameters& h = checkpoint_->hyperparameters();
    Json json = Json::object();
    json.set("layers", h.layers);
    json.set("hidden", h.hidden);
    json.set("ffn", h.ffn);
    json.set("heads", h.heads);
    json.set("kv_heads", h.kv_heads);
    json.set("head_dim", h.head_dim);
    json.set("vocabulary", h.vocabulary);
    json.set("context", h.context);
    json.set("norm_epsilon", h.norm_epsilon);
    json.set("rope_base", h.rope_base);
    json.set("rotary_dim", h.rotary_dim);
    json.set("sliding_window", h.sliding_window);
    json.set("tied_embeddings", h.tied_embeddings);
    return json;
  }

  std::optional<std::string_view> tokenizer_json() const {
    try {
      return checkpoint_->tokenizer().kind();
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  Json tensors_json() const {
    Json tensors = Json::array();
    for (const auto& row : rows_) {
      Json tensor = Json::object();
      tensor.set("name", row.name);
      tensor.set("stored_name", row.stored_name);
      Json shape = Json::array();
      for (const uint64_t n : row.info->shape) shape.push(n);
      tensor.set("shape", std::move(shape));
      tensor.set("type", row.info->format->name);
      tensor.set("bytes", row.info->bytes());
      tensors.push(std::move(tensor));
    }
    return tensors;
  }

  Json metadata_json() const {
    Json json = Json::object();
    for (const auto& [key, value] : reader().metadata().entries()) {
      std::visit([&](const auto& v) { set_value(json, key, v); }, value);
    }
    return json;
  }

  std::string model_, problem_;
  bool only_tensors_ = false, only_metadata_ = false, json_ = false;
  std::unique_ptr<Checkpoint> checkpoint_;
  std::unique_ptr<Reader> container_;
  std::vector<Row> rows_;
  uint64_t parameters_ = 0, weight_bytes_ = 0;
};

constexpr Example kExamples[] = {
    {"nibble inspect models/classics-6m", "what the model is, its tensors and metadata"},
    {"nibble inspect model.gguf --tensors | grep ffn", "one line a tensor"},
    {"nibble inspect model.gguf --json", "the same for programs"},
};

}  // namespace

extern const CommandRow inspect_command;
const CommandRow inspect_command = {
    "inspect",
    "show what a model file holds",
    "MODEL [--tensors] [--metadata] [--json]",
    "Prints container, architecture, sizes, tokenizer, every tensor and all metadata. Tensors are "
    "listed under the names that --tensor of nibble quantize matches, beside those in the file. "
    "Bits per weight count the bytes of all tensors. Of long arrays the length and the first items "
    "are shown. A container whose architecture nibble does not know is shown without the parts "
    "that need it.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Inspect); }};

}  // namespace nibble::cli
