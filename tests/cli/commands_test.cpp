#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>

#include "cli.h"
#include "io/container.h"
#include "model/checkpoint.h"
#include "support/synthetic_model.h"

// The commands end to end, on the model that ships.

namespace nibble::test {
namespace {

const std::vector<std::string> kTypes = {"F32",  "F16",  "BF16", "Q8_0",
                                         "Q4_0", "Q4_1", "Q5_0", "Q5_1"};

// The text the model is scored on here: prose, long enough for four windows.
fs::path text_file(const TemporaryFolder& folder) {
  std::string text;
  for (int i = 0; text.size() < 12000; ++i) {
    text += "The old house stood at the end of the lane, and in chapter " + std::to_string(i) +
            " nobody had lived there since the winter when the river rose.\n";
  }
  const fs::path path = folder / "text.txt";
  write_text_file(path, text);
  return path;
}

JsonFile json_of(const std::vector<std::string>& words) {
  const auto result = run_nibble(words);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return JsonFile(result.out, "standard output");
}

fs::path copy_of_shipped_model(const TemporaryFolder& folder) {
  fs::copy(shipped_model(), folder / "copy");
  return folder / "copy";
}

// Replaces the one `from` in `text`.
void replace(std::string& text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  ASSERT_NE(at, text.npos) << from;
  text.replace(at, from.size(), to);
}

double figure(const JsonFile& json, std::string_view group, std::string_view key) {
  return find_number(find_object(json.object(), group).value(), key).value();
}

std::vector<simdjson::dom::object> tensors_of(const JsonFile& json) {
  const simdjson::dom::array array = find_array(json.object(), "tensors").value();
  return {array.begin(), array.end()};
}

// Tensor values by name, decoded.
std::map<std::string, std::vector<float>> values_of(const fs::path& model) {
  const auto checkpoint = Checkpoint::open(model);
  std::map<std::string, std::vector<float>> values;
  for (const auto& tensor : checkpoint->tensors()) {
    auto& x = values[tensor.info.name];
    x.resize(tensor.info.elements());
    tensor.info.format->decode(tensor.bytes.data(), x.size(), x.data());
  }
  return values;
}

class Quantized : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder;
    for (const auto& type : kTypes) {
      results_[type] = run_nibble({"quantize", shipped_model(), "-o", path(type), "--type", type});
    }
  }
  static void TearDownTestSuite() { delete folder_; }
  static fs::path path(const std::string& type) { return *folder_ / (type + ".gguf"); }

  static inline TemporaryFolder* folder_;
  static inline std::map<std::string, CommandResult> results_;
};

TEST_F(Quantized, ToEveryTypeAndInspectAgrees) {
  for (const auto& type : kTypes) {
    SCOPED_TRACE(type);
    ASSERT_EQ(results_[type].exit_code, 0) << results_[type].err;
    EXPECT_NE(results_[type].out.find("bits per weight"), std::string::npos);
    EXPECT_NE(results_[type].err.find("next: nibble eval"), std::string::npos);
    const auto json = json_of({"inspect", path(type), "--json"});
    EXPECT_EQ(find_string(json.object(), "schema"), "nibble.inspect/1");
    EXPECT_EQ(find_string(json.object(), "architecture"), "llama");
    EXPECT_EQ(find_int(json.object(), "file_bytes"), int64_t(fs::file_size(path(type))));
    EXPECT_EQ(figure(json, "hyperparameters", "layers"), 6);
    for (const simdjson::dom::object tensor : tensors_of(json)) {
      if (find_string(tensor, "name") != "blk.0.ffn_down.weight") continue;
      EXPECT_EQ(find_string(tensor, "type"), type);
    }
  }
}

TEST_F(Quantized, EvaluationAgainstTheBaseOrdersTheTypes) {
  const fs::path text = text_file(*folder_);
  std::map<std::string, double> divergence;
  for (const auto& type : kTypes) {
    SCOPED_TRACE(type);
    const auto json = json_of({"eval", path(type), "--text", text, "--base", shipped_model(),
                               "--context", "256", "--chunks", "4", "--json"});
    EXPECT_EQ(find_string(json.object(), "schema"), "nibble.eval/1");
    EXPECT_EQ(find_int(json.object(), "windows"), 4);
    EXPECT_GT(figure(json, "perplexity", "value"), 1);
    EXPECT_GT(figure(json, "perplexity", "stderr"), 0);
    divergence[type] = figure(json, "kl_divergence", "mean");
    EXPECT_GE(figure(json, "same_top", "value"), 0.5);
    EXPECT_NEAR(figure(json, "perplexity_ratio", "value"),
                figure(json, "perplexity", "value") / figure(json, "base_perplexity", "value"),
                1e-6);
  }
  EXPECT_LT(divergence["BF16"], 1e-6);
  EXPECT_LT(divergence["F32"], 1e-6);
  EXPECT_LT(divergence["Q8_0"], divergence["Q5_0"]);
  EXPECT_LT(divergence["Q5_1"], divergence["Q4_1"]);
  EXPECT_GT(divergence["Q4_0"], 1e-4);
}

TEST_F(Quantized, DynamicGivesWhatTheFileGives) {
  const fs::path text = text_file(*folder_);
  const auto scored = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--text", text, "--context", "256", "--chunks", "2", "--activations",
                               "f32", "--kv-type", "f32", "--json"});
    return figure(json_of(words), "perplexity", "value");
  };
  // The order of the rows of q and k differs, and with it that of the sums.
  const double from_file = scored({"eval", path("Q4_0")});
  EXPECT_NEAR(scored({"eval", shipped_model(), "--dynamic", "INT4"}), from_file, from_file * 1e-5);
}

TEST_F(Quantized, GreedyTextIsTheSameTwiceAndForAnyThreads) {
  const std::vector<std::string> words = {"run", path("Q8_0"),    "-p", "The old house", "-n",
                                          "40",  "--temperature", "0"};
  const auto with = [&](const std::string& threads) {
    auto w = words;
    w.insert(w.end(), {"-j", threads});
    const auto result = run_nibble(w);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_NE(result.err.find("tokens/s"), std::string::npos);
    return result.out;
  };
  const std::string once = with("1");
  EXPECT_GT(once.size(), 20u);
  EXPECT_EQ(once, with("1"));
  EXPECT_EQ(once, with("2"));
}

TEST_F(Quantized, TheSameSeedGivesTheSameTextAndStandardInputIsAPrompt) {
  const std::vector<std::string> words = {"run", path("Q8_0"), "-n", "20", "--seed", "5", "-q"};
  auto by_flag = words;
  by_flag.insert(by_flag.end(), {"-p", "It was late"});
  const auto first = run_nibble(by_flag);
  EXPECT_EQ(first.err, "");
  EXPECT_EQ(first.out, run_nibble(by_flag).out);
  EXPECT_EQ(first.out, run_nibble(words, "It was late\n").out);
}

TEST_F(Quantized, RunAsJson) {
  const auto json =
      json_of({"run", path("Q4_0"), "-p", "Once", "-n", "8", "--ignore-end", "--json"});
  EXPECT_EQ(find_string(json.object(), "schema"), "nibble.run/1");
  EXPECT_EQ(find_array(json.object(), "tokens")->size(), 8u);
  EXPECT_EQ(find_string(json.object(), "stop"), "token limit");
}

TEST_F(Quantized, BenchAsJson) {
  const auto json = json_of({"bench", path("Q4_0"), "--prompt", "32", "--generate", "8", "--repeat",
                             "2", "-j", "1", "--json"});
  EXPECT_EQ(find_string(json.object(), "schema"), "nibble.bench/1");
  for (const std::string_view key : {"load_s", "prefill_tokens_per_s", "decode_tokens_per_s",
                                     "peak_memory_bytes", "share_of_bandwidth", "share_of_peak"}) {
    EXPECT_GT(find_number(json.object(), key).value_or(0), 0) << key;
  }
  EXPECT_EQ(find_int(json.object(), "threads"), 1);
}

TEST_F(Quantized, TheSameBytesForAnyNumberOfThreads) {
  for (const std::string threads : {"1", "3"}) {
    const fs::path again = *folder_ / ("again" + threads + ".gguf");
    ASSERT_EQ(
        run_nibble({"quantize", shipped_model(), "-o", again, "--type", "q5_1", "-j", threads})
            .exit_code,
        0);
    EXPECT_TRUE(read_text_file(again) == read_text_file(path("Q5_1"))) << threads;
  }
}

TEST(Quantize, SaysWhichTypeAWordMeansAndHowLargeItWillBe) {
  const TemporaryFolder folder;
  const auto dry = run_nibble(
      {"quantize", shipped_model(), "-o", folder / "x.gguf", "--type", "int4", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 0) << dry.err;
  EXPECT_NE(dry.err.find("int4 is Q4_0 here"), std::string::npos) << dry.err;
  EXPECT_FALSE(fs::exists(folder / "x.gguf"));
  const std::vector<std::string> words = {"quantize", shipped_model(), "-o",    folder / "x.gguf",
                                          "--type",   "int4",          "--json"};
  auto planned = words;
  planned.push_back("--dry-run");
  const auto plan = json_of(planned), done = json_of(words);
  EXPECT_EQ(find_int(done.object(), "file_bytes"), int64_t(fs::file_size(folder / "x.gguf")));
  EXPECT_EQ(find_int(plan.object(), "bytes_out"), find_int(done.object(), "bytes_out"));
}

TEST(Quantize, RulesDecideTensorsAndOnesThatMatchNothingAreRefused) {
  const TemporaryFolder folder;
  const auto json = json_of({"quantize", shipped_model(), "-o", folder / "x.gguf", "--type", "Q4_0",
                             "--tensor", "ffn_down=Q8_0", "--tensor", "blk\\.0\\.=F16", "--json"});
  std::map<std::string, std::string> formats;
  for (const simdjson::dom::object tensor : tensors_of(json)) {
    formats[std::string(*find_string(tensor, "name"))] = *find_string(tensor, "to");
  }
  EXPECT_EQ(formats["blk.0.ffn_down.weight"], "Q8_0");
  EXPECT_EQ(formats["blk.0.ffn_up.weight"], "F16");
  EXPECT_EQ(formats["blk.1.ffn_up.weight"], "Q4_0");
  const auto refused = run_nibble({"quantize", shipped_model(), "-o", folder / "y.gguf", "--type",
                                   "Q4_0", "--tensor", "ffn_sideways=Q8_0"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("ffn_sideways"), std::string::npos);
  EXPECT_FALSE(fs::exists(folder / "y.gguf"));
}

TEST(Quantize, SaysAloudWhichTensorsATypeDoesNotFit) {
  const TemporaryFolder folder;
  write_synthetic_model(folder / "odd", {.ffn = 200});
  const auto result =
      run_nibble({"quantize", folder / "odd", "-o", folder / "x.gguf", "--type", "q4_0"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: blk.0.ffn_down.weight and 1 more: written as F16"),
            std::string::npos)
      << result.err;
  const auto dynamic =
      run_nibble({"run", folder / "odd", "-p", "a", "-n", "2", "--dynamic", "q4_0"});
  EXPECT_EQ(dynamic.exit_code, 0) << dynamic.err;
  EXPECT_NE(dynamic.err.find("warning: blk.0.ffn_down.weight: kept in F16"), std::string::npos)
      << dynamic.err;
}

TEST(Quantize, RefusesToWriteOverItsInputOrAnotherFile) {
  const TemporaryFolder folder;
  const fs::path model = folder / "model.gguf", link = folder / "link.gguf";
  ASSERT_EQ(run_nibble({"convert", shipped_model(), "-o", model}).exit_code, 0);
  const std::string before = read_text_file(model);
  fs::create_symlink(model, link);
  for (const fs::path& output : {model, link, folder.path() / "." / "model.gguf"}) {
    const auto result = run_nibble({"quantize", model, "-o", output, "--type", "q8_0", "-f"});
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(read_text_file(model), before);
  }
  write_text_file(folder / "other.gguf", "precious");
  const std::vector<std::string> words = {"quantize", model, "-o", folder / "other.gguf",
                                          "--type",   "q8_0"};
  const auto refused = run_nibble(words);
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.err.find("-f"), std::string::npos) << refused.err;
  EXPECT_EQ(read_text_file(folder / "other.gguf"), "precious");
  auto forced = words;
  forced.push_back("--force");
  EXPECT_EQ(run_nibble(forced).exit_code, 0);
  EXPECT_EQ(read_text_file(folder / "other.gguf").substr(0, 4), "GGUF");
}

TEST(Convert, FolderToGgufToFolderKeepsEveryTensor) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_nibble({"convert", shipped_model(), "-o", folder / "m.gguf"}).exit_code, 0);
  const auto back = run_nibble({"convert", folder / "m.gguf", "-o", folder / "back"});
  ASSERT_EQ(back.exit_code, 0) << back.err;
  const auto original = values_of(shipped_model()), returned = values_of(folder / "back");
  EXPECT_EQ(original.size(), returned.size());
  for (const auto& [name, values] : original) {
    ASSERT_TRUE(returned.contains(name)) << name;
    EXPECT_TRUE(values == returned.at(name)) << name;
  }
  EXPECT_EQ(run_nibble({"tokenize", shipped_model(), "-p", "Round and round."}).out,
            run_nibble({"tokenize", folder / "back", "-p", "Round and round."}).out);
}

TEST(Convert, PartsOfAGgufFileHoldTheSameModel) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_nibble({"convert", shipped_model(), "-o", folder / "one.gguf"}).exit_code, 0);
  ASSERT_EQ(
      run_nibble({"convert", shipped_model(), "-o", folder / "m.gguf", "--split-max-size", "4MB"})
          .exit_code,
      0);
  size_t parts = 0;
  fs::path first;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const std::string name = entry.path().filename();
    if (!name.starts_with("m-")) continue;
    ++parts;
    EXPECT_LE(entry.file_size(), 4'000'000u);
    if (name.starts_with("m-00001")) first = entry.path();
  }
  EXPECT_GE(parts, 3u);
  EXPECT_TRUE(values_of(first) == values_of(folder / "one.gguf"));
  const auto json = json_of({"inspect", first, "--json"});
  EXPECT_GT(find_int(json.object(), "file_bytes").value(), 11'000'000);
}

TEST(Inspect, ShowsPartsOnRequest) {
  const auto tensors = run_nibble({"inspect", shipped_model(), "--tensors"});
  EXPECT_EQ(tensors.out.substr(0, 6), "tensor");
  EXPECT_NE(tensors.out.find("blk.5.ffn_down.weight"), std::string::npos);
  EXPECT_NE(tensors.out.find("model.layers.5.mlp.down_proj.weight"), std::string::npos);
  const auto json = json_of({"inspect", shipped_model(), "--metadata", "--json"});
  EXPECT_FALSE(find_array(json.object(), "tensors").has_value());
  EXPECT_TRUE(find_object(json.object(), "metadata").has_value());
}

TEST(Inspect, ShowsContainersOfUnknownArchitectures) {
  const TemporaryFolder folder;
  Metadata metadata;
  metadata.set("general.architecture", std::string("mamba\x1b[31m"));
  const std::vector<TensorInfo> tensors = {{"a.weight", {2, 32}, &formats::f32}};
  const std::vector<float> values(64, 1.5f);
  const auto writer = create_gguf(folder / "x.gguf");
  writer->begin(metadata, tensors);
  writer->append(std::as_bytes(std::span(values)));
  writer->finish();
  const auto result = run_nibble({"inspect", folder / "x.gguf"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_NE(result.err.find("warning: "), std::string::npos);
  EXPECT_NE(result.out.find("a.weight"), std::string::npos);
  EXPECT_EQ(result.out.find('\x1b'), std::string::npos) << "escape sequences reach the terminal";
  EXPECT_EQ(result.err.find('\x1b'), std::string::npos);
  const auto json = json_of({"inspect", folder / "x.gguf", "--json"});
  EXPECT_EQ(find_int(json.object(), "parameters"), 64);
}

TEST(TokenizeCommand, GivesTheLibrarysIdsAndTakesThemBack) {
  const std::string text = "It was a dark night; the 3 old men\n\tsaid “café” twice.";
  const auto tokenizer = load_tokenizer(shipped_model());
  std::string ids;
  for (const TokenId id : tokenizer->encode(text))
    ids += (ids.empty() ? "" : " ") + std::to_string(id);
  EXPECT_EQ(run_nibble({"tokenize", shipped_model(), "-p", text}).out, ids + "\n");
  EXPECT_EQ(run_nibble({"tokenize", shipped_model(), "--text", "-"}, text).out, ids + "\n");
  EXPECT_EQ(run_nibble({"tokenize", shipped_model(), "--decode", ids}).out, text + "\n");
  const auto json = json_of({"tokenize", shipped_model(), "-p", text, "--json", "--pieces"});
  EXPECT_EQ(find_string(json.object(), "schema"), "nibble.tokenize/1");
  EXPECT_EQ(size_t(find_int(json.object(), "count").value()), tokenizer->encode(text).size());
  EXPECT_EQ(find_array(json.object(), "pieces")->size(), tokenizer->encode(text).size());
}

TEST(TokenizeCommand, NamesOfControlTokensAreTextUnlessAsked) {
  const auto tokenizer = load_tokenizer(shipped_model());
  const std::string name(tokenizer->token_text(tokenizer->special().eos));
  const auto plain = run_nibble({"tokenize", shipped_model(), "-p", name});
  const auto parsed = run_nibble({"tokenize", shipped_model(), "-p", name, "--parse-special"});
  EXPECT_EQ(parsed.out, std::to_string(tokenizer->special().eos) + "\n");
  EXPECT_NE(plain.out, parsed.out);
  EXPECT_EQ(run_nibble({"tokenize", shipped_model(), "--decode", "999999"}).exit_code, 2);
}

TEST(EvalCommand, WritesLogProbabilitiesThatGiveThePerplexity) {
  const TemporaryFolder folder;
  const fs::path text = text_file(folder), log_probs = folder / "log_probs.txt";
  const auto json =
      json_of({"eval", shipped_model(), "--text", text, "--context", "128", "--chunks", "3",
               "--score", "all", "--log-probs", log_probs, "--json"});
  std::ifstream file(log_probs);
  double sum = 0, value = 0;
  int64_t count = 0;
  while (file >> value) {
    sum += value;
    ++count;
  }
  EXPECT_EQ(find_int(json.object(), "tokens"), count);
  EXPECT_NEAR(std::exp(-sum / double(count)), figure(json, "perplexity", "value"), 1e-5);
  const auto again =
      run_nibble({"eval", shipped_model(), "--text", text, "--log-probs", log_probs});
  EXPECT_EQ(again.exit_code, 2);
  const auto onto =
      run_nibble({"eval", shipped_model(), "--text", text, "--log-probs", text, "-f"});
  EXPECT_EQ(onto.exit_code, 2);
}

TEST(EvalCommand, AModelDoesNotDivergeFromItself) {
  const TemporaryFolder folder;
  const auto json = json_of({"eval", shipped_model(), "--text", text_file(folder), "--base",
                             shipped_model(), "--context", "128", "--chunks", "2", "--json"});
  EXPECT_EQ(figure(json, "kl_divergence", "mean"), 0);
  EXPECT_EQ(figure(json, "same_top", "value"), 1);
  EXPECT_EQ(figure(json, "mean_delta_p", "value"), 0);
  for (const std::string_view key : {"model", "base"}) {
    EXPECT_EQ(find_string(json.object(), key), shipped_model().string()) << key;
  }
  EXPECT_EQ(find_string(json.object(), "activations"), "int8");
  EXPECT_EQ(find_string(json.object(), "kv_type"), "f16");
  EXPECT_EQ(figure(json, "perplexity_ratio", "value"), 1);
}

TEST(EvalCommand, LogProbabilitiesNeverReplaceAFileOfAModel) {
  const TemporaryFolder folder;
  const fs::path model = copy_of_shipped_model(folder), gguf = folder / "m-00001-of-00002.gguf";
  const fs::path text = text_file(folder), link = folder / "link", loop = folder / "loop";
  ASSERT_EQ(
      run_nibble({"convert", model, "-o", folder / "m.gguf", "--split-max-size", "6MB"}).exit_code,
      0);
  fs::create_symlink(model / "config.json", link);
  fs::create_symlink(loop, loop);
  for (const fs::path& path :
       {model / "model.safetensors", model / "tokenizer.json", gguf,
        folder / "m-00002-of-00002.gguf", link, loop, folder / std::string(300, 'x')}) {
    for (const auto& [first, base] : {std::pair(model, gguf), std::pair(gguf, model)}) {
      const auto result = run_nibble(
          {"eval", first, "--base", base, "--text", text, "--log-probs", path, "-f", "--chunks=1"});
      EXPECT_EQ(result.exit_code, 2) << path << result.err;
      EXPECT_NE(result.err.find("--log-probs"), std::string::npos) << result.err;
      EXPECT_EQ(result.err.find("filesystem error"), std::string::npos) << result.err;
    }
  }
}

TEST(EvalCommand, TheBaseMustCutTheScoredTextTheSameWay) {
  const TemporaryFolder folder;
  const fs::path base = copy_of_shipped_model(folder), text = text_file(folder);
  std::string tokenizer = read_text_file(base / "tokenizer.json");
  replace(tokenizer, "\"Ġriver\": 2175", "\"Ġriver\": 2174");
  replace(tokenizer, "\"Ġtrees\": 2174", "\"Ġtrees\": 2175");
  write_text_file(base / "tokenizer.json", tokenizer);
  const auto result =
      run_nibble({"eval", shipped_model(), "--base", base, "--text", text, "--chunks", "1"});
  EXPECT_EQ(result.exit_code, 2);
  for (const std::string& name : {shipped_model().string(), base.string()}) {
    EXPECT_NE(result.err.find(name), std::string::npos) << result.err;
  }
}

TEST(EvalCommand, AContextTooShortIsBlamedOnTheModelThatHasIt) {
  const TemporaryFolder folder;
  const fs::path model = copy_of_shipped_model(folder);
  std::string config = read_text_file(model / "config.json");
  replace(config, "\"max_position_embeddings\": 512", "\"max_position_embeddings\": 3");
  write_text_file(model / "config.json", config);
  const auto result = run_nibble({"eval", model, "--text", text_file(folder)});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("a context of 3"), std::string::npos) << result.err;
}

// One weight of the last layer is infinite: everything after it is not a number.
TEST(DamagedWeights, AreBadInputToEvalAndRun) {
  const TemporaryFolder folder;
  const fs::path damaged = copy_of_shipped_model(folder), text = text_file(folder);
  {
    const auto checkpoint = Checkpoint::open(damaged);
    const CheckpointTensor& tensor = checkpoint->get(Role::kFfnDown, 5);
    const MappedFile weights(damaged / "model.safetensors");
    std::string bytes(reinterpret_cast<const char*>(weights.bytes().data()), weights.size());
    const auto at =
        std::search(bytes.begin(), bytes.end(), reinterpret_cast<const char*>(tensor.bytes.data()),
                    reinterpret_cast<const char*>(tensor.bytes.data()) + 64);
    *at = char(0x80), *(at + 1) = 0x7f;  // +infinity in bfloat16
    write_text_file(damaged / "model.safetensors", bytes);
  }
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"eval", damaged, "--text", text, "--chunks", "2"},
           {"eval", shipped_model(), "--base", damaged, "--text", text, "--chunks", "2"},
           {"run", damaged, "-p", "The", "-n", "4"},
           {"run", damaged, "-p", "The", "-n", "4", "--temperature", "0"}}) {
    const auto result = run_nibble(words);
    EXPECT_EQ(result.exit_code, 4) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_NE(result.err.find("error: " + damaged.string() + ": "), std::string::npos)
        << result.err;
    EXPECT_NE(result.err.find("finite"), std::string::npos) << result.err;
  }
}

TEST(EvalCommand, AsksForATextWhereNoneShips) {
  const TemporaryFolder folder;
  ASSERT_EQ(run_nibble({"convert", shipped_model(), "-o", folder / "m.gguf"}).exit_code, 0);
  const auto result = run_nibble({"eval", folder / "m.gguf"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_NE(result.err.find("--text"), std::string::npos);
}

}  // namespace
}  // namespace nibble::test
