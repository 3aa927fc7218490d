#include <charconv>

#include "base/error.h"
#include "json_document.h"
#include "model/checkpoint.h"
#include "output.h"
#include "session.h"

namespace nibble::cli {
namespace {

// "1 2,3" to ids; throws Error(kUsage) on anything outside the vocabulary.
std::vector<TokenId> parse_ids(std::string_view text, size_t vocabulary) {
  std::vector<TokenId> ids;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(" ,\n\t"), text.size()));
    if (text.empty()) return ids;
    const std::string_view word = text.substr(0, text.find_first_of(" ,\n\t"));
    TokenId id = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
    if (error != std::errc() || end != word.data() + word.size() || id < 0 ||
        size_t(id) >= vocabulary) {
      throw usage_error("\"{}\" is not a token id from 0 to {}", word, vocabulary - 1)
          .at("--decode");
    }
    ids.push_back(id);
    text.remove_prefix(word.size());
  }
}

class Tokenize : public Command {
 public:
  void declare(CommandLine& line) override {
    line.positional("MODEL", &model_, "a Hugging Face folder or a GGUF file");
    line.group("Input");
    line.path("--text", "FILE", &file_, "text to tokenize; - is standard input");
    line.text("-p,--prompt", "TEXT", &prompt_, "text to tokenize");
    line.text("--decode", "IDS", &ids_, "token ids to turn back into text; - is standard input");
    line.exclusive({"--text", "--prompt", "--decode"});
    line.flag("--add-bos", &add_special_,
              "add the tokens the model's own tokenizer adds around a text (default: off)");
    line.flag("--parse-special", &parse_special_,
              "read <|names|> as control tokens (default: off)");
    line.group("Output");
    line.flag("--pieces", &pieces_, "one token a line, id and text (default: ids on one line)");
    line.json(&json_);
  }

  void run(const CommandLine& line) override {
    if (ids_) {
      for (const auto* name : {"--add-bos", "--parse-special", "--pieces"}) {
        line.refuse(name, "--decode");
      }
    } else if (!prompt_ && file_.empty()) {
      throw usage_error("one of --text, --prompt and --decode is missing")
          .hint("--text - reads standard input");
    }
    const auto checkpoint = Checkpoint::open(model_);
    const Tokenizer& tokenizer = checkpoint->tokenizer();
    ids_ ? decode(tokenizer) : encode(tokenizer);
  }

 private:
  void decode(const Tokenizer& tokenizer) const {
    const auto ids = parse_ids(*ids_ == "-" ? read_text("-") : *ids_, tokenizer.vocabulary_size());
    const std::string text = tokenizer.decode(ids, true);
    if (!json_) return print_text(text + "\n");
    Json json = Json::document("nibble.detokenize/1");
    json.set("text", text);
    json.set("count", ids.size());
    json.print();
  }

  void encode(const Tokenizer& tokenizer) const {
    const auto ids =
        tokenizer.encode(prompt_ ? *prompt_ : read_text(file_),
                         {.add_special = add_special_, .parse_special = parse_special_});
    if (json_) return print_json(tokenizer, ids);
    if (pieces_) {
      for (const TokenId id : ids)
        print("{}\t{}\n", id, printable(tokenizer.piece(id, true), 1000));
      return;
    }
    for (size_t i = 0; i < ids.size(); ++i) print("{}{}", i == 0 ? "" : " ", ids[i]);
    print("\n");
  }

  void print_json(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) const {
    Json json = Json::document("nibble.tokenize/1");
    Json tokens = Json::array(), pieces = Json::array();
    for (const TokenId id : ids) {
      tokens.push(id);
      if (pieces_) pieces.push(tokenizer.piece(id, true));
    }
    json.set("tokens", std::move(tokens));
    if (pieces_) json.set("pieces", std::move(pieces));
    json.set("count", ids.size());
    json.print(true);
  }

  std::string model_, file_;
  std::optional<std::string> prompt_, ids_;
  bool add_special_ = false, parse_special_ = false, pieces_ = false, json_ = false;
};

constexpr Example kExamples[] = {
    {"nibble tokenize models/classics-6m -p 'The old house'", "ids on one line"},
    {"nibble tokenize MODEL --text book.txt --json", "{\"tokens\":[...],\"count\":n}"},
    {"nibble tokenize MODEL -p 'The old house' --pieces", "one token a line"},
    {"nibble tokenize MODEL --decode '464 1468 2156'", "back to text"},
};

}  // namespace

extern const CommandRow tokenize_command;
const CommandRow tokenize_command = {
    "tokenize",
    "turn text into token ids and back",
    "MODEL --text FILE | -p TEXT | --decode IDS",
    "Text yields no control tokens unless --parse-special asks for it, and no beginning-of-text "
    "token unless --add-bos does. --pieces prints control characters as \\xNN.",
    kExamples,
    [] { return std::unique_ptr<Command>(new Tokenize); }};

}  // namespace nibble::cli
