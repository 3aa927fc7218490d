#include "eval/evaluate.h"

#include <system_error>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/units.h"
#include "json_document.h"
#include "output.h"
#include "session.h"

namespace nibble::cli {
namespace {

Json measured(const Measured& m) {
  Json json = Json::object();
  json.set("value", m.value);
  json.set("stderr", m.stderr_value);
  return json;
}

std::string with_error(const Measured& m, int digits, double factor = 1) {
  return fmt::format("{:.{}f} {} {:.{}f}", m.value * factor, digits, glyphs().plus_minus,
                     m.stderr_value * factor, digits);
}

class Eval : public Command {
 public:
  void declare(CommandLine& line) override {
    compute_.declare_model(line);
    line.group("What is measured");
    line.path("--text", "FILE", &text_,
              "text to score; - is standard input (default: the model's own)");
    line.path("--base", "MODEL", &base_, "compare with this model: KL divergence and its company");
    line.integer("--context", &context_, 4, 1 << 20,
                 "tokens a window (default: 512, or the model's context if less)");
    line.integer("--chunks", &chunks_, 1, 1 << 30, "windows to score (default: all of the text)");
    line.choice("--score", {"all", "second-half"}, &score_,
                "positions of a window that count (default: second-half)");
    compute_.declare_computing(line);
    line.group("Output");
    line.path("--log-probs", "FILE", &log_probs_,
              "write the natural-log probability of each scored token, one a line");
    line.force(&overwrite_);
    line.json(&json_);
  }

  void run(const CommandLine& line) override {
    if (log_probs_.empty()) line.refuse("--force", "no --log-probs FILE to write");
    const std::string text_path = text_.empty() ? shipped_text() : text_;
    check_output(text_path);
    const std::string text = read_text(text_path);
    ThreadPool pool{unsigned(compute_.threads)};
    const LoadedModel model = load_model(compute_.model, compute_.dynamic, pool);
    LoadedModel base;
    if (!base_.empty()) base = load_model(base_, nullptr, pool);
    check_output(*model.checkpoint);
    if (base.model) check_output(*base.checkpoint);
    check_activations(line, *model.model);
    const auto windows =
        cut(model.checkpoint->tokenizer(), text, model.checkpoint->hyperparameters().context);
    if (base.model) check_same_tokens(*model.checkpoint, *base.checkpoint, text, windows);

    const ForwardOptions options{.activations = compute_.precision()};
    Forward forward(*model.model, pool, options);
    std::optional<Forward> base_forward;
    if (base.model) base_forward.emplace(*base.model, pool, options);
    const Evaluation result =
        evaluate(forward, base_forward ? &*base_forward : nullptr, windows, compute_.kv());
    if (!log_probs_.empty()) write_log_probs(result);
    const SpecialTokens& special = model.checkpoint->tokenizer().special();
    const auto bos = special.add_bos ? std::optional(special.bos) : std::nullopt;
    json_ ? print_json(result, bos, text_path) : print_report(result, bos, text_path);
  }

 private:
  // The text that ships beside the model, or beside the base.
  std::string shipped_text() const {
    std::error_code ignored;  // what is wrong with a path is said when it is opened
    for (const fs::path model : {compute_.model, base_}) {
      const fs::path folder = fs::is_directory(model, ignored) ? model : model.parent_path();
      const fs::path text = folder / "evaluation.txt";
      if (!model.empty() && fs::exists(text, ignored)) return text.string();
    }
    throw usage_error("--text is missing, and no evaluation.txt lies beside {}", compute_.model)
        .hint("any text the model was not trained on will do; use the same one to compare");
  }

  void check_output(const std::string& text_path) const {
    if (log_probs_.empty()) return;
    std::error_code error;
    const fs::path folder = fs::path(log_probs_).parent_path();
    if (!folder.empty() && !fs::is_directory(folder, error)) {
      throw usage_error("--log-probs {}: there is no folder {}", log_probs_, folder.string());
    }
    const fs::file_type type = fs::status(log_probs_, error).type();
    if (type == fs::file_type::not_found) return;
    if (type == fs::file_type::none) {
      throw usage_error("--log-probs {}: {}", log_probs_, error.message());
    }
    refuse_input(text_path);
    if (!overwrite_) {
      throw usage_error("{} exists already", log_probs_).hint("-f replaces it");
    }
  }

  void check_output(const Checkpoint& model) const {
    if (log_probs_.empty()) return;
    for (const fs::path& file : model.files()) refuse_input(file.string());
  }

  void refuse_input(const std::string& input) const {
    if (input == "-" || !same_file(input, log_probs_)) return;
    throw usage_error("--log-probs {} is also the input {}", log_probs_, input);
  }

  std::vector<Window> cut(const Tokenizer& tokenizer, const std::string& text,
                          uint64_t model_context) {
    if (!context_) {
      context_ = model_context == 0 ? 512 : std::min<uint64_t>(512, model_context);
      if (*context_ < 4) {
        throw usage_error("{} was made for a context of {}, a window needs 4 tokens or more",
                          compute_.model, model_context)
            .hint("--context 4 scores it all the same");
      }
    }
    if (model_context != 0 && *context_ > model_context) {
      log::warn("--context {} is longer than the {} positions the model was made for", *context_,
                model_context);
    }
    const bool halves = score_ == "second-half";
    WindowOptions options{.context = *context_,
                          .max_windows = chunks_.value_or(0),
                          .protocol = halves ? ScoreProtocol::kSecondHalf : ScoreProtocol::kAll};
    // llama.cpp cuts the stream that begins with BOS; the other protocol adds it to each window.
    return cut_windows(tokenizer.encode(text, {.add_special = halves}), tokenizer, options);
  }

  // The windows hold ids of the first model's tokenizer; the base must cut what is scored into the
  // same ones.
  void check_same_tokens(const Checkpoint& model, const Checkpoint& base, const std::string& text,
                         std::span<const Window> windows) const {
    size_t scored = 0;
    for (const auto& window : windows) scored += window.tokens.size();
    auto ours = model.tokenizer().encode(text), theirs = base.tokenizer().encode(text);
    ours.resize(std::min(scored, ours.size()));
    theirs.resize(std::min(scored, theirs.size()));
    if (ours == theirs) return;
    throw usage_error("{} and {} tokenize text differently: their distributions cannot be compared",
                      compute_.model, base_)
        .hint("compare with the model this one was quantized from");
  }

  void write_log_probs(const Evaluation& result) const {
    std::string text;
    for (const double value : result.log_probs) text += fmt::format("{:.9g}\n", value);
    write_text_file(log_probs_, text);
  }

  void print_json(const Evaluation& e, std::optional<TokenId> bos,
                  const std::string& text_path) const {
    Json json = Json::document("nibble.eval/1");
    json.set("model", compute_.model);
    json.set("base", base_.empty() ? std::nullopt : std::optional(base_));
    json.set("text", text_path);
    json.set("dynamic", compute_.dynamic ? std::optional(compute_.dynamic->name) : std::nullopt);
    json.set("activations", compute_.activations);
    json.set("kv_type", compute_.kv_type);
    json.set("tokens", e.tokens);
    json.set("windows", e.windows);
    json.set("context", *context_);
    json.set("protocol", score_);
    json.set("bos", bos);
    json.set("perplexity", measured(e.perplexity));
    if (e.divergence) {
      const Divergence& d = *e.divergence;
      Json kl = Json::object();
      kl.set("mean", d.mean.value);
      kl.set("stderr", d.mean.stderr_value);
      kl.set("median", d.median);
      kl.set("p99", d.p99);
      kl.set("max", d.max);
      json.set("kl_divergence", std::move(kl));
      json.set("same_top", measured(d.same_top));
      json.set("rms_delta_p", measured(d.rms_delta_p));
      json.set("mean_delta_p", measured(d.mean_delta_p));
      json.set("perplexity_ratio", measured(d.perplexity_ratio));
      json.set("base_perplexity", measured(d.base_perplexity));
    }
    json.set("seconds", e.seconds);
    json.print();
  }

  void print_report(const Evaluation& e, std::optional<TokenId> bos,
                    const std::string& text_path) const {
    Fields fields;
    fields.add("model", "{}{}", compute_.model,
               compute_.dynamic ? fmt::format(", weights in {}", compute_.dynamic->name) : "");
    if (e.divergence) fields.add("base", "{}", base_);
    fields.add("text", "{}", text_path);
    fields.add("scored", "{} tokens in {} windows of {}, {}, {}", e.tokens, e.windows, *context_,
               score_ == "all" ? "every position" : "second half of each",
               bos ? fmt::format("each begins with BOS (token {})", *bos) : "no BOS");
    fields.add("perplexity", "{}", with_error(e.perplexity, 4));
    if (e.divergence) {
      const Divergence& d = *e.divergence;
      fields.add("base perplexity", "{}", with_error(d.base_perplexity, 4));
      fields.add("perplexity ratio", "{}", with_error(d.perplexity_ratio, 5));
      fields.add("KL divergence", "{} nats, median {:.5f}, 99 % {:.5f}, max {:.4f}",
                 with_error(d.mean, 5), d.median, d.p99, d.max);
      fields.add("same top token", "{} %", with_error(d.same_top, 2, 100));
      fields.add("RMS change of p", "{} %", with_error(d.rms_delta_p, 3, 100));
      fields.add("mean change of p", "{} %", with_error(d.mean_delta_p, 3, 100));
    }
    fields.add("time", "{}, {:.0f} tokens/s scored", format_duration(e.seconds),
               double(e.tokens) / std::max(e.seconds, 1e-6));
    fields.print();
  }

  ComputeFlags compute_;
  std::string text_, base_, log_probs_, score_ = "second-half";
  std::optional<uint64_t> context_, chunks_;
  bool overwrite_ = false, json_ = false;
};

constexpr Example kExamples[] = {
    {"nibble eval classics-q4.gguf --text book.txt", "perplexity, with its standard error"},
    {"nibble eval classics-q4.gguf --base models/classics-6m",
     "what quantizing changed, on the text that ships with the base"},
    {"nibble eval models/classics-6m --dynamic INT4 --base models/classics-6m",
     "the same for weights quantized as they load; nothing is written"},
};

}  // namespace

extern const CommandRow eval_command;
const CommandRow eval_command = {
    "eval",
    "measure perplexity, and what quantizing changed",
    "MODEL [--text FILE] [--base MODEL]",
    "Cuts the text into windows of --context tokens that do not overlap and scores each token by "
    "those before it. second-half is llama.cpp's protocol: the first token of a window becomes BOS "
    "where the model has one, and only the second half counts; all scores every token.\n\n"
    "With --base both models read the same windows side by side; --activations and --kv-type hold "
    "for both, --dynamic for MODEL alone. KL divergence is D(base || model) in nats per token. "
    "Every figure stands with its standard error; errors of ratios and differences come from "
    "pairs, so they are far smaller than those of the two perplexities.\n\n"
    "Without --text the file evaluation.txt beside MODEL, or beside the base, is read.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Eval); }};

}  // namespace nibble::cli
