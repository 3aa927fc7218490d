#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"
#include "formats/format.h"

namespace nibble {
namespace {

// The one table of formats: a new format is one row here.
constexpr std::array kFormats = {
    &formats::f32,         &formats::f16,     &formats::bf16,    &formats::f64,
    &formats::q8_0,        &formats::q5_1,    &formats::q5_0,    &formats::q4_1,
    &formats::q4_0,        &formats::f8_e4m3, &formats::f8_e5m2, &formats::f8_e4m3fnuz,
    &formats::f8_e5m2fnuz, &formats::f8_e8m0, &formats::i8,      &formats::i16,
    &formats::i32,         &formats::i64,     &formats::u8,      &formats::u16,
    &formats::u32,         &formats::u64,     &formats::boolean, &formats::c64,
    &formats::f4,          &formats::f6_e2m3, &formats::f6_e3m2,
};

// What people say instead of a format's name.
struct Alias {
  std::string_view said;
  const Format* meant;
};
constexpr std::array kAliases = {
    Alias{"FP64", &formats::f64},    Alias{"FLOAT64", &formats::f64},
    Alias{"DOUBLE", &formats::f64},  Alias{"FP32", &formats::f32},
    Alias{"FLOAT32", &formats::f32}, Alias{"FLOAT", &formats::f32},
    Alias{"FP16", &formats::f16},    Alias{"FLOAT16", &formats::f16},
    Alias{"HALF", &formats::f16},    Alias{"BFLOAT16", &formats::bf16},
    Alias{"INT8", &formats::q8_0},   Alias{"Q8", &formats::q8_0},
    Alias{"INT5", &formats::q5_0},   Alias{"Q5", &formats::q5_0},
    Alias{"INT4", &formats::q4_0},   Alias{"Q4", &formats::q4_0},
};

char upper(char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, upper, upper);
}

}  // namespace

std::span<const Format* const> all_formats() { return kFormats; }

const Format* find_format(std::string_view name) {
  for (const Format* format : kFormats) {
    if (same_name(format->name, name)) return format;
  }
  for (const auto& alias : kAliases) {
    if (same_name(alias.said, name)) return alias.meant;
  }
  return nullptr;
}

const Format& format_by_name(std::string_view name) {
  if (const Format* format = find_format(name)) return *format;
  std::vector<std::string_view> known;
  std::string writable;
  for (const Format* format : kFormats) {
    known.push_back(format->name);
    if (format->encode == nullptr) continue;
    if (!writable.empty()) writable += ", ";
    writable += format->name;
  }
  for (const auto& alias : kAliases) known.push_back(alias.said);
  std::string hint = did_you_mean(name, known);
  if (!hint.empty()) hint += ' ';
  throw usage_error("there is no format named \"{}\"", name)
      .hint(hint + "weights can be written as " + writable);
}

const Format* find_gguf_format(uint32_t id) {
  for (const Format* format : kFormats) {
    if (format->gguf_id >= 0 && uint32_t(format->gguf_id) == id) return format;
  }
  return nullptr;
}

const Format* find_safetensors_format(std::string_view dtype) {
  if (dtype.empty()) return nullptr;
  for (const Format* format : kFormats) {
    if (format->safetensors_name == dtype) return format;
  }
  return nullptr;
}

}  // namespace nibble
