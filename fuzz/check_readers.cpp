#include "fuzz/check_readers.h"

#include "base/error.h"
#include "io/gguf.h"
#include "io/safetensors.h"

namespace nibble::fuzz {
namespace {

void touch_tensors(const Reader& reader) {
  for (size_t i = 0; i < reader.tensors().size(); ++i) {
    const Bytes bytes = reader.bytes(i);
    NIBBLE_CHECK(bytes.size() == reader.tensors()[i].bytes());
    NIBBLE_CHECK(reader.find(reader.tensors()[i].name) == ptrdiff_t(i));
    if (bytes.empty()) continue;
    const volatile std::byte *first = &bytes.front(), *last = &bytes.back();
    static_cast<void>(*first);
    static_cast<void>(*last);
  }
}

// What was parsed, written again and parsed again gives the same header. The encodings are
// compared, since a NaN in the metadata would differ from itself. `room` is for the padding between
// tensors.
template <typename Encode, typename Parse>
void check_rewrite(const Reader& reader, Encode encode, Parse parse, uint64_t room) {
  const std::string header = encode(reader.metadata(), reader.tensors());
  const Bytes bytes(reinterpret_cast<const std::byte*>(header.data()), header.size());
  const ParsedFile again = parse(bytes, header.size() + reader.total_bytes() + room);
  NIBBLE_CHECK(encode(again.metadata, again.tensors) == header);
}

std::string encode_safetensors(const Metadata& metadata, std::span<const TensorInfo> tensors) {
  std::vector<uint64_t> begins;
  uint64_t position = 0;
  for (const auto& tensor : tensors) {
    begins.push_back(position);
    position += tensor.bytes();
  }
  return encode_safetensors_header(metadata, tensors, begins);
}

}  // namespace

bool check_gguf(Bytes file) {
  std::unique_ptr<Reader> reader;
  try {
    reader = open_gguf(file, "fuzz.gguf");
  } catch (const Error&) {
    return false;
  }
  touch_tensors(*reader);
  check_rewrite(*reader, encode_gguf_header, parse_gguf, uint64_t(1) << 40);
  return true;
}

bool check_safetensors(Bytes file) {
  std::unique_ptr<Reader> reader;
  try {
    reader = open_safetensors(file, "fuzz.safetensors");
  } catch (const Error&) {
    return false;
  }
  touch_tensors(*reader);
  check_rewrite(*reader, encode_safetensors, parse_safetensors, 0);
  return true;
}

}  // namespace nibble::fuzz
