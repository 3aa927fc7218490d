#include "io/fixtures.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace nibble::test {

void Model::add(const std::string& name, std::vector<uint64_t> shape, const Format& format) {
  tensors.push_back({name, std::move(shape), &format});
  Random random(tensors.size());
  std::vector<std::byte> bytes(tensors.back().bytes());
  for (auto& byte : bytes) byte = std::byte(random.below(256));
  data.push_back(std::move(bytes));
}

Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const fs::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Metadata every_metadata_type() {
  Metadata m;
  m.set("general.architecture", std::string("llama"));
  m.set("u8", uint8_t(255));
  m.set("i8", int8_t(-128));
  m.set("u16", uint16_t(65535));
  m.set("i16", int16_t(-32768));
  m.set("u32", uint32_t(4294967295u));
  m.set("i32", int32_t(-2147483647));
  m.set("f32", 0.1f);
  m.set("bool", true);
  m.set("u64", ~uint64_t(0));
  m.set("i64", int64_t(-1) << 62);
  m.set("f64", -0.0);
  m.set("array.u8", MetadataArray(std::vector<uint8_t>{0, 255}));
  m.set("array.i8", MetadataArray(std::vector<int8_t>{-1}));
  m.set("array.u16", MetadataArray(std::vector<uint16_t>{1, 2, 3}));
  m.set("array.i16", MetadataArray(std::vector<int16_t>{-1, 2}));
  m.set("array.u32", MetadataArray(std::vector<uint32_t>{7}));
  m.set("array.i32", MetadataArray(std::vector<int32_t>{-7, 7}));
  m.set("array.f32", MetadataArray(std::vector<float>{1.5f, -2.0f}));
  m.set("array.bool", MetadataArray(std::vector<bool>{true, false, true}));
  m.set("array.string", MetadataArray(std::vector<std::string>{"", "ä", std::string(3, '\0')}));
  m.set("array.u64", MetadataArray(std::vector<uint64_t>{1}));
  m.set("array.i64", MetadataArray(std::vector<int64_t>{-1}));
  m.set("array.f64", MetadataArray(std::vector<double>{3.25}));
  m.set("array.empty", MetadataArray(std::vector<double>{}));
  m.set("array.no_strings", MetadataArray(std::vector<std::string>{}));
  return m;
}

Model small_model() {
  Model model;
  model.metadata.set("general.architecture", std::string("llama"));
  model.metadata.set("llama.block_count", uint32_t(2));
  model.add("token_embd.weight", {10, 32}, formats::bf16);
  model.add("blk.0.attn_q.weight", {3, 64}, formats::q4_0);
  model.add("blk.0.ffn_gate_exps.weight", {2, 3, 4, 32}, formats::q8_0);
  model.add("blk.0.attn_norm.weight", {5}, formats::f32);
  model.add("positions", {2, 3, 1}, formats::i64);
  model.add("output.weight", {10, 64}, formats::f16);
  return model;
}

void write_model(Writer& writer, const Model& model, size_t piece) {
  writer.begin(model.metadata, model.tensors);
  for (const auto& data : model.data) {
    for (Bytes left(data); !left.empty();) {
      const size_t n = std::min(piece, left.size());
      writer.append(left.first(n));
      left = left.subspan(n);
    }
  }
  writer.finish();
}

std::vector<std::byte> bytes_of(const Reader& reader, size_t index) {
  const Bytes bytes = reader.bytes(index);
  return {bytes.begin(), bytes.end()};
}

void expect_same_tensors(const Reader& reader, const Model& model) {
  ASSERT_EQ(reader.tensors().size(), model.tensors.size());
  for (size_t i = 0; i < model.tensors.size(); ++i) {
    const auto index = reader.find(model.tensors[i].name);
    ASSERT_GE(index, 0) << model.tensors[i].name;
    const TensorInfo& found = reader.tensors()[size_t(index)];
    EXPECT_EQ(found.name, model.tensors[i].name);
    EXPECT_EQ(found.shape, model.tensors[i].shape) << found.name;
    EXPECT_EQ(found.format, model.tensors[i].format) << found.name;
    EXPECT_EQ(bytes_of(reader, size_t(index)), model.data[i]) << found.name;
  }
}

std::string error_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

std::string gguf_error(std::string_view file) {
  return error_of([&] { open_gguf(as_bytes(file), "m.gguf"); });
}

std::string safetensors_error(std::string_view file) {
  return error_of([&] { open_safetensors(as_bytes(file), "m.safetensors"); });
}

}  // namespace nibble::test
