#include <algorithm>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "json_document.h"
#include "output.h"
#include "session.h"

namespace nibble::cli {
namespace {

constexpr std::string_view kStopReasons[] = {"end of text", "token limit", "context full",
                                             "stopped"};

class Run : public Command {
 public:
  void declare(CommandLine& line) override {
    compute_.declare_model(line);
    line.group("Text");
    line.text("-p,--prompt", "TEXT", &prompt_, "text to continue (default: standard input)");
    line.integer("-n,--tokens", &tokens_, 1, 1 << 30, "tokens to generate at most (default: 256)");
    line.flag("--ignore-end", &ignore_end_, "go on after the model ended its text (default: off)");
    line.flag("--parse-special", &parse_special_,
              "read <|names|> in the prompt as control tokens (default: off)");
    line.group("Sampling (the model's own defaults go before those named here)");
    line.number("--temperature", &temperature_, 0, 100, "0 is greedy (default: 0.8)");
    line.integer("--top-k", &top_k_, 0, 1 << 30, "most likely tokens kept, 0 all (default: 40)");
    line.number("--top-p", &top_p_, 0, 1, "probability mass kept, 1 all (default: 0.95)");
    line.number("--min-p", &min_p_, 0, 1, "least share of the top probability (default: 0.05)");
    line.number("--repetition-penalty", &repetition_penalty_, 0.01, 100,
                "divides logits of the last 64 tokens, 1 off (default: 1)");
    line.integer("--seed", &seed_, 0, UINT64_MAX, "same seed, same text (default: 0)");
    compute_.declare_computing(line);
    line.integer("--context", &context_, 2, 1 << 24,
                 "positions kept (default: as many as needed, at most the model's)");
    line.group("Output");
    line.json(&json_);
  }

  void run(const CommandLine& line) override {
    check_flags(line);
    ThreadPool pool{unsigned(compute_.threads)};
    const LoadedModel loaded = load_model(compute_.model, compute_.dynamic, pool);
    check_activations(line, *loaded.model);
    const Tokenizer& tokenizer = loaded.checkpoint->tokenizer();
    const auto prompt = tokenizer.encode(prompt_ ? *prompt_ : read_prompt(),
                                         {.add_special = true, .parse_special = parse_special_});
    if (prompt.empty()) throw usage_error("the prompt is empty, and the model has no BOS token");

    const Hyperparameters& h = loaded.checkpoint->hyperparameters();
    KvCache cache(h, capacity(h, prompt.size()), compute_.kv());
    Forward forward(*loaded.model, pool, {.activations = compute_.precision()});
    GenerateOptions options;
    options.sampling = sampling(line, loaded.checkpoint->generation_defaults());
    options.max_tokens = tokens_;
    options.ignore_end = ignore_end_;
    std::string text;
    const GenerateResult result =
        generate(forward, cache, prompt, options, [&](std::string_view piece) {
          text += piece;
          if (!json_) show(piece);
          return !interrupt_requested();
        });
    json_ ? print_json(result, text, options.sampling) : finish(result, text);
    check_interrupt();
  }

 private:
  void check_flags(const CommandLine& line) const {
    if (temperature_ != 0.0) return;
    for (const auto* name : {"--top-k", "--top-p", "--min-p", "--seed"}) {
      line.refuse(name, "--temperature 0");
    }
  }

  static std::string read_prompt() {
    std::string text = read_text("-");
    // The newline that echo and editors put at the end is not part of the prompt.
    if (text.ends_with('\n')) text.pop_back();
    return text;
  }

  SamplingOptions sampling(const CommandLine& line, const GenerationDefaults& model) const {
    SamplingOptions s;
    const bool asked = line.given("--temperature") || line.given("--top-k") ||
                       line.given("--top-p") || line.given("--min-p");
    const bool greedy = !asked && model.do_sample == false;
    s.temperature = greedy ? 0 : temperature_.value_or(model.temperature.value_or(s.temperature));
    s.top_k = top_k_ ? int64_t(*top_k_) : model.top_k.value_or(s.top_k);
    s.top_p = top_p_.value_or(model.top_p.value_or(s.top_p));
    s.min_p = min_p_.value_or(model.min_p.value_or(s.min_p));
    s.repetition_penalty =
        repetition_penalty_.value_or(model.repetition_penalty.value_or(s.repetition_penalty));
    s.seed = seed_;
    if (s.temperature == 0 && line.spelled("--seed")) {
      log::warn("--seed has no effect: the model asks for greedy decoding (--temperature sets it)");
    }
    log::debug("temperature {}, top-k {}, top-p {}, min-p {}, repetition penalty {}, seed {}",
               s.temperature, s.top_k, s.top_p, s.min_p, s.repetition_penalty, s.seed);
    return s;
  }

  size_t capacity(const Hyperparameters& h, size_t prompt) const {
    if (context_ && h.context != 0 && *context_ > h.context) {
      log::warn("--context {} is longer than the {} positions the model was made for", *context_,
                h.context);
    }
    const size_t most = context_.value_or(h.context != 0 ? h.context : SIZE_MAX);
    const size_t needed = prompt + tokens_;
    if (prompt >= most) {
      throw usage_error("the prompt has {} tokens, the context {}", prompt, most)
          .hint(context_ ? "raise --context"
                         : "shorten the prompt, or ask for more with --context");
    }
    return std::min(most, needed);
  }

  static void show(std::string_view piece) {
    print_text(piece);
    flush_output();
  }

  void finish(const GenerateResult& result, const std::string& text) const {
    if (!text.ends_with('\n')) show("\n");
    log::info("{} tokens read at {:.0f} tokens/s, {} written at {:.1f} tokens/s; {}",
              result.prompt_tokens, prefill_rate(result), result.tokens.size(), decode_rate(result),
              kStopReasons[size_t(result.stop)]);
  }

  void print_json(const GenerateResult& result, const std::string& text,
                  const SamplingOptions& sampling) const {
    Json json = Json::document("nibble.run/1");
    json.set("text", text);
    Json tokens = Json::array();
    for (const TokenId id : result.tokens) tokens.push(id);
    json.set("tokens", std::move(tokens));
    json.set("stop", kStopReasons[size_t(result.stop)]);
    json.set("prompt_tokens", result.prompt_tokens);
    json.set("temperature", sampling.temperature);
    json.set("seed", sampling.seed);
    json.set("prefill_tokens_per_s", prefill_rate(result));
    json.set("decode_tokens_per_s", decode_rate(result));
    json.print(true);
  }

  ComputeFlags compute_;
  std::optional<std::string> prompt_;
  uint64_t tokens_ = 256, seed_ = 0;
  std::optional<uint64_t> top_k_, context_;
  std::optional<double> temperature_, top_p_, min_p_, repetition_penalty_;
  bool ignore_end_ = false, parse_special_ = false, json_ = false;
};

constexpr Example kExamples[] = {
    {"nibble run classics-q4.gguf -p 'The old house'", "go on with a text"},
    {"nibble run MODEL --dynamic INT4 -p 'Once' -n 64 --temperature 0",
     "weights quantized as they load; always the most likely token"},
    {"echo 'It was late' | nibble run MODEL --seed 7", "the prompt from standard input"},
};

}  // namespace

extern const CommandRow run_command;
const CommandRow run_command = {
    "run",
    "go on with a text",
    "MODEL [-p TEXT] [flags]",
    "Prints what the model writes after the prompt as it appears; the prompt itself is not "
    "repeated. Without -p the prompt is standard input, less the newline at its end. Control "
    "tokens named in the prompt are plain text unless --parse-special is given.\n\n"
    "Sampling flags left out take the values of the model's generation_config.json, then those "
    "listed. The same seed gives the same text on the same kind of CPU with any number of threads. "
    "Ctrl-C ends the text.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Run); }};

}  // namespace nibble::cli
