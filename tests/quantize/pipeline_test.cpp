#include "quantize/pipeline.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>

#include "base/error.h"
#include "base/file.h"
#include "support/support.h"

namespace nibble {
namespace {

class Pipeline : public testing::Test {
 protected:
  std::unique_ptr<Checkpoint> classics() { return Checkpoint::open(test::shipped_model()); }

  QuantizeReport make(const Checkpoint& source, const Recipe& recipe, const std::string& name,
                      unsigned threads = 2) {
    ThreadPool pool(threads);
    const fs::path output = folder_ / name;
    return quantize(source, recipe, {.output = output, .layout = layout_by_name(output)}, pool);
  }

  std::string bytes_of(const std::string& name) { return read_text_file(folder_ / name); }

  size_t files() const {
    const fs::directory_iterator entries(folder_.path());
    return size_t(std::distance(begin(entries), end(entries)));
  }

  test::TemporaryFolder folder_;
};

void expect_error(ErrorKind kind, const std::string& text, const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "expected an error about " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.message();
    EXPECT_NE(error.message().find(text), std::string::npos) << error.message();
  }
}

TEST_F(Pipeline, TheSameBytesForAnyNumberOfThreads) {
  const auto source = classics();
  make(*source, Recipe(formats::q4_0), "one.gguf", 1);
  make(*source, Recipe(formats::q4_0), "two.gguf", 2);
  make(*source, Recipe(formats::q4_0), "three.gguf", 3);
  EXPECT_EQ(bytes_of("one.gguf"), bytes_of("two.gguf"));
  EXPECT_EQ(bytes_of("one.gguf"), bytes_of("three.gguf"));
}

TEST_F(Pipeline, FolderToGgufToFolderLosesNothing) {
  make(*classics(), Recipe::keep(), "model.gguf");
  make(*Checkpoint::open(folder_ / "model.gguf"), Recipe::keep(), "back");
  const auto before = classics(), after = Checkpoint::open(folder_ / "back");
  ASSERT_EQ(before->tensors().size(), after->tensors().size());
  for (size_t i = 0; i < before->tensors().size(); ++i) {
    const auto& a = before->tensors()[i];
    const auto& b = after->tensors()[i];
    EXPECT_EQ(a.info.name, b.info.name);
    EXPECT_EQ(a.info.shape, b.info.shape);
    std::vector<float> x(a.info.elements()), y(b.info.elements());
    a.info.format->decode(a.bytes.data(), x.size(), x.data());
    b.info.format->decode(b.bytes.data(), y.size(), y.data());
    EXPECT_EQ(x, y) << a.name;
  }
  const std::string text = "Once upon a time, in 1887, they said: \"No!\"";
  EXPECT_EQ(before->tokenizer().encode(text), after->tokenizer().encode(text));
}

TEST_F(Pipeline, TheReportIsWhatTheFileHolds) {
  const auto report = make(*classics(), Recipe(formats::q8_0), "model.gguf");
  EXPECT_EQ(report.parameters, 5770496u);
  EXPECT_EQ(report.file_bytes, fs::file_size(folder_ / "model.gguf"));
  EXPECT_NEAR(report.bits_per_weight(), 8.5, 0.05);
  const auto written = Checkpoint::open(folder_ / "model.gguf");
  EXPECT_EQ(written->tensors().size(), report.tensors.size());
  EXPECT_EQ(written->reader().metadata().get_int("general.file_type"), 7);
}

TEST_F(Pipeline, ThePlanIsTheReportWithoutTheWork) {
  const auto source = classics();
  const QuantizeOptions options{.output = folder_ / "model.gguf"};
  const auto plan = plan_quantize(*source, Recipe(formats::q5_0), options);
  EXPECT_FALSE(fs::exists(options.output));
  const auto report = make(*source, Recipe(formats::q5_0), "model.gguf");
  EXPECT_EQ(plan.bytes_out, report.bytes_out);
  ASSERT_EQ(plan.tensors.size(), report.tensors.size());
  for (size_t i = 0; i < plan.tensors.size(); ++i)
    EXPECT_EQ(plan.tensors[i].to, report.tensors[i].to);
}

TEST_F(Pipeline, TheModelItselfIsNeverTheOutput) {
  make(*classics(), Recipe::keep(), "model.gguf");
  const auto source = Checkpoint::open(folder_ / "model.gguf");
  fs::create_hard_link(folder_ / "model.gguf", folder_ / "hard.gguf");
  fs::create_symlink(folder_ / "model.gguf", folder_ / "soft.gguf");
  fs::create_directory(folder_ / "sub");
  const std::string before = bytes_of("model.gguf");
  ThreadPool pool(1);
  for (const char* name : {"model.gguf", "hard.gguf", "soft.gguf", "sub/../model.gguf"}) {
    const QuantizeOptions options{.output = folder_ / name, .overwrite = true};
    expect_error(ErrorKind::kUsage, "the model itself",
                 [&] { quantize(*source, Recipe(formats::q4_0), options, pool); });
  }
  EXPECT_EQ(bytes_of("model.gguf"), before);
}

TEST_F(Pipeline, AnExistingOutputStaysUnlessReplacingIsAskedFor) {
  write_text_file(folder_ / "model.gguf", "precious");
  const auto source = classics();
  expect_error(ErrorKind::kUsage, "exists already",
               [&] { make(*source, Recipe(formats::q4_0), "model.gguf"); });
  EXPECT_EQ(bytes_of("model.gguf"), "precious");
  ThreadPool pool(1);
  quantize(*source, Recipe(formats::q4_0), {.output = folder_ / "model.gguf", .overwrite = true},
           pool);
  EXPECT_EQ(bytes_of("model.gguf").substr(0, 4), "GGUF");
}

TEST_F(Pipeline, AFullDiskLeavesTheOldFileAndNothingElse) {
  write_text_file(folder_ / "model.gguf", "precious");
  const auto source = classics();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before = {};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {1 << 20, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  ThreadPool pool(1);
  expect_error(ErrorKind::kResources, "model.gguf", [&] {
    quantize(*source, Recipe(formats::q4_0), {.output = folder_ / "model.gguf", .overwrite = true},
             pool);
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(bytes_of("model.gguf"), "precious");
  EXPECT_EQ(files(), 1u);
}

TEST_F(Pipeline, NotANumberIsNamedAndNothingIsWritten) {
  fs::copy(test::shipped_model(), folder_ / "broken");
  std::fstream file(folder_ / "broken/model.safetensors",
                    std::ios::in | std::ios::out | std::ios::binary);
  const char nan[2] = {'\xC0', '\x7F'};  // bf16
  file.seekp(-2, std::ios::end);
  file.write(nan, 2);
  file.close();
  const auto source = Checkpoint::open(folder_ / "broken");
  expect_error(ErrorKind::kBadInput, "nan at row",
               [&] { make(*source, Recipe(formats::q4_0), "model.gguf"); });
  EXPECT_EQ(files(), 1u);
}

TEST_F(Pipeline, AFolderHoldsFloatsOnly) {
  const auto source = classics();
  expect_error(ErrorKind::kUsage, ".gguf", [&] { make(*source, Recipe(formats::q4_0), "folder"); });
  make(*source, Recipe(formats::f16), "folder");
  EXPECT_EQ(Checkpoint::open(folder_ / "folder")->tensors()[0].info.format, &formats::f16);
}

TEST_F(Pipeline, AQuantizedFileBecomesAFolderByDecoding) {
  make(*classics(), Recipe(formats::q4_0), "model.gguf");
  const auto report = make(*Checkpoint::open(folder_ / "model.gguf"), Recipe::keep(), "folder");
  for (const auto& tensor : report.tensors) {
    EXPECT_TRUE(tensor.shape.size() == 1 || tensor.to == &formats::bf16) << tensor.name;
  }
}

TEST_F(Pipeline, SplitPartsHoldTheSameTensors) {
  const auto source = classics();
  make(*source, Recipe(formats::q8_0), "whole.gguf");
  ThreadPool pool(2);
  quantize(*source, Recipe(formats::q8_0),
           {.output = folder_ / "split.gguf", .split_max_bytes = 2 << 20}, pool);
  const auto whole = Checkpoint::open(folder_ / "whole.gguf");
  std::unique_ptr<Checkpoint> split;
  for (const auto& entry : fs::directory_iterator(folder_.path())) {
    if (entry.path().filename().string().starts_with("split-00001-of-")) {
      split = Checkpoint::open(entry.path());
    }
  }
  ASSERT_NE(split, nullptr);
  ASSERT_EQ(split->tensors().size(), whole->tensors().size());
  for (size_t i = 0; i < whole->tensors().size(); ++i) {
    const auto& a = whole->tensors()[i];
    const auto& b = split->tensors()[i];
    EXPECT_TRUE(std::ranges::equal(a.bytes, b.bytes)) << a.name;
  }
}

TEST_F(Pipeline, NoPartOfTheModelIsEverTheOutput) {
  ThreadPool pool(2);
  const auto write = [&](const fs::path& source, const fs::path& output) {
    const QuantizeOptions options{.output = output,
                                  .layout = layout_by_name(output),
                                  .overwrite = true,
                                  .split_max_bytes = output.stem() == "s" ? 4u << 20 : 0u};
    quantize(*Checkpoint::open(source), Recipe(formats::f16), options, pool);
  };
  write(test::shipped_model(), folder_ / "s.gguf");
  const fs::path first = folder_ / "s-00001-of-00003.gguf";
  ASSERT_TRUE(fs::exists(first));
  fs::copy(test::shipped_model(), folder_ / "folder");
  for (const auto& [source, output] : std::vector<std::pair<fs::path, fs::path>>{
           {first, folder_ / "s.gguf"},
           {first, folder_ / "s-00002-of-00003.gguf"},
           {folder_ / "folder" / "model.safetensors", folder_ / "folder"},
           {folder_ / "folder", folder_ / "folder" / "." / ""}}) {
    expect_error(ErrorKind::kUsage, "the model itself", [&] { write(source, output); });
  }
  EXPECT_NO_THROW(Checkpoint::open(first));
}

TEST_F(Pipeline, ExistingPartsStayUnlessReplacingIsAskedFor) {
  write_text_file(folder_ / "s-00002-of-00003.gguf", "precious");
  ThreadPool pool(1);
  const QuantizeOptions options{.output = folder_ / "s.gguf", .split_max_bytes = 4 << 20};
  const auto source = classics();
  for (const bool dry : {true, false}) {
    expect_error(ErrorKind::kUsage, "exists already", [&] {
      dry ? plan_quantize(*source, Recipe(formats::f16), options)
          : quantize(*source, Recipe(formats::f16), options, pool);
    });
  }
  EXPECT_EQ(bytes_of("s-00002-of-00003.gguf"), "precious");
}

TEST_F(Pipeline, AFolderThatIsReplacedKeepsNothingOfTheOldModel) {
  make(*classics(), Recipe(formats::f16), "folder");
  write_text_file(folder_ / "folder" / "chat_template.jinja", "an older model's");
  write_text_file(folder_ / "folder" / "notes.txt", "mine");
  ThreadPool pool(1);
  quantize(*classics(), Recipe(formats::f16),
           {.output = folder_ / "folder", .layout = OutputLayout::kFolder, .overwrite = true},
           pool);
  EXPECT_EQ(Checkpoint::open(folder_ / "folder")->chat_template(), "");
  EXPECT_EQ(bytes_of("folder/notes.txt"), "mine");
}

TEST_F(Pipeline, GgufToGgufIsTheSameFile) {
  make(*classics(), Recipe(formats::q5_1), "a.gguf");
  make(*Checkpoint::open(folder_ / "a.gguf"), Recipe::keep(), "b.gguf");
  EXPECT_EQ(bytes_of("a.gguf"), bytes_of("b.gguf"));
}

TEST_F(Pipeline, AVectorInBlocksIsRefused) {
  make(*classics(), Recipe(formats::q8_0), "a.gguf");
  std::string bytes = bytes_of("a.gguf");
  const size_t name = bytes.find("blk.0.attn_norm.weight");
  const size_t type = name + 22 + 4 + 8;  // behind the name: u32 dimensions, u64 size, i32 type
  ASSERT_EQ(bytes[type], 0);
  bytes[type] = 8;
  write_text_file(folder_ / "b.gguf", bytes);
  expect_error(ErrorKind::kBadInput, "expected a vector in F32",
               [&] { Checkpoint::open(folder_ / "b.gguf"); });
}

}  // namespace
}  // namespace nibble
