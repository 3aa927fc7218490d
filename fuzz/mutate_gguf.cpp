#include "fuzz/mutate_gguf.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "fuzz/mutate.h"
#include "io/gguf.h"

namespace nibble::fuzz {
namespace {

constexpr size_t kTensorCount = 8, kKeyCount = 16, kFirstKey = 24;

struct Field {
  size_t at, size;
};
struct Record {
  size_t begin, end;
  size_t count_at;  // of the count it belongs to
};

// Where the integers and the records of a header are, as far as it can be followed.
class Map {
 public:
  explicit Map(std::string_view file) : file_(file) {
    field(4, 4);
    uint64_t tensors = field(kTensorCount, 8), keys = field(kKeyCount, 8);
    at_ = kFirstKey;
    for (; keys > 0 && more(); --keys) record(kKeyCount, &Map::key);
    for (; tensors > 0 && more(); --tensors) record(kTensorCount, &Map::tensor);
  }

  std::vector<Field> fields, types;
  std::vector<Record> records;

 private:
  bool more() const { return at_ < file_.size(); }

  uint64_t field(size_t at, size_t size) {
    uint64_t value = 0;
    if (at > file_.size() || file_.size() - at < size) {
      at_ = file_.size();
      return 0;
    }
    std::memcpy(&value, file_.data() + at, size);
    fields.push_back({at, size});
    return value;
  }
  uint64_t number(size_t size) {
    const uint64_t value = field(at_, size);
    skip(size);
    return value;
  }
  void skip(uint64_t bytes) { at_ += std::min<uint64_t>(bytes, file_.size() - at_); }
  void text() { skip(number(8)); }
  uint64_t type() {
    const uint64_t value = number(4);
    if (more()) types.push_back(fields.back());
    return value;
  }

  void record(size_t count_at, void (Map::*walk)()) {
    const size_t begin = at_;
    (this->*walk)();
    if (more()) records.push_back({begin, at_, count_at});
  }
  void key() {
    text();
    value(type());
  }
  void value(uint64_t type) {
    constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    if (type == 8) {
      text();
    } else if (type == 9) {
      const uint64_t of = this->type();
      uint64_t left = number(8);
      if (of == 9 || of >= std::size(kSizes)) return;
      for (; left > 0 && more(); --left) value(of);
    } else if (type < std::size(kSizes)) {
      number(kSizes[type]);
    }
  }
  void tensor() {
    text();
    for (uint64_t n = number(4); n > 0 && more(); --n) number(8);
    type();
    number(8);
  }

  std::string_view file_;
  size_t at_ = 0;
};

void put(std::string& file, Field field, uint64_t value) {
  std::memcpy(file.data() + field.at, &value, field.size);
}

uint64_t get(const std::string& file, Field field) {
  uint64_t value = 0;
  std::memcpy(&value, file.data() + field.at, field.size);
  return value;
}

void change_field(std::string& file, const Map& map, Random& random) {
  const Field field = map.fields[pick(random, map.fields.size())];
  const uint64_t value = random.below(3) == 0 ? get(file, field) + random.below(65) - 32
                                              : borders()[pick(random, borders().size())];
  put(file, field, value);
}

void change_type(std::string& file, const Map& map, Random& random) {
  if (map.types.empty()) return;
  put(file, map.types[pick(random, map.types.size())], random.below(48));
}

void adjust_count(std::string& file, size_t at, int64_t by, Random& random) {
  if (random.below(4) == 0) return;
  put(file, {at, 8}, get(file, {at, 8}) + uint64_t(by));
}

// Doubling also changes a letter of the copy's name, or every copy would fail as a duplicate.
void double_record(std::string& file, const Map& map, Random& random) {
  const Record record = map.records[pick(random, map.records.size())];
  std::string copy = file.substr(record.begin, record.end - record.begin);
  if (copy.size() > 8 && random.below(2) == 0) copy[8] = char('a' + random.below(26));
  file.insert(random.below(2) == 0 ? record.begin : record.end, copy);
  adjust_count(file, record.count_at, 1, random);
}

void remove_record(std::string& file, const Map& map, Random& random) {
  const Record record = map.records[pick(random, map.records.size())];
  file.erase(record.begin, record.end - record.begin);
  adjust_count(file, record.count_at, -1, random);
}

void swap_records(std::string& file, const Map& map, Random& random) {
  Record a = map.records[pick(random, map.records.size())];
  Record b = map.records[pick(random, map.records.size())];
  if (a.begin > b.begin) std::swap(a, b);
  if (a.end > b.begin) return;
  const std::string first = file.substr(a.begin, a.end - a.begin);
  const std::string second = file.substr(b.begin, b.end - b.begin);
  file.replace(b.begin, second.size(), first);
  file.replace(a.begin, first.size(), second);
}

}  // namespace

std::string gguf_seed() {
  Metadata metadata;
  metadata.set("general.architecture", std::string("llama"));
  metadata.set("general.alignment", uint32_t(32));
  metadata.set("u8", uint8_t(1));
  metadata.set("i16", int16_t(-2));
  metadata.set("f32", 0.5f);
  metadata.set("bool", true);
  metadata.set("u64", uint64_t(1) << 40);
  metadata.set("f64", 2.5);
  metadata.set("tokens", MetadataArray(std::vector<std::string>{"<s>", "", "a"}));
  metadata.set("scores", MetadataArray(std::vector<float>{0, -1, -2}));
  metadata.set("types", MetadataArray(std::vector<int32_t>{3, 1, 1}));
  metadata.set("flags", MetadataArray(std::vector<bool>{true, false}));
  metadata.set("empty", MetadataArray(std::vector<uint64_t>{}));
  const std::vector<TensorInfo> tensors = {
      {"token_embd.weight", {3, 32}, &formats::q8_0},
      {"blk.0.attn_q.weight", {4, 64}, &formats::q4_0},
      {"blk.0.ffn_gate_exps.weight", {2, 2, 8}, &formats::bf16},
      {"output_norm.weight", {32}, &formats::f32},
  };
  std::string file = encode_gguf_header(metadata, tensors);
  for (const auto& tensor : tensors) {
    file.append((tensor.bytes() + kGgufDefaultAlignment - 1) / kGgufDefaultAlignment *
                    kGgufDefaultAlignment,
                'w');
  }
  return file;
}

std::string mutate_gguf(std::string_view input, Random& random) {
  std::string file(input);
  for (uint64_t left = 1 + random.below(3); left > 0; --left) {
    const Map map(file);
    const uint64_t choice = map.records.empty() ? 9 : random.below(10);
    if (choice < 4) {
      change_field(file, map, random);
    } else if (choice < 5) {
      change_type(file, map, random);
    } else if (choice < 6) {
      double_record(file, map, random);
    } else if (choice < 7) {
      remove_record(file, map, random);
    } else if (choice < 8) {
      swap_records(file, map, random);
    } else {
      mutate_bytes(file, random);
    }
  }
  return file;
}

}  // namespace nibble::fuzz
