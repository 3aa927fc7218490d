#pragma once

#include <span>
#include <string_view>

#include "base/view.h"
#include "formats/format.h"

namespace nibble {

// A way to land weights on a format's grid. One constant per file of this folder.
struct Method {
  std::string_view name;     // as --method spells it; changes when the output changes
  std::string_view summary;  // one line for --help
  // Quantizes rows of one matrix, w: [rows, cols], cols % format.block_size == 0, all finite;
  // out: rows * format.bytes_for(cols) bytes. Rows are independent of each other.
  void (*quantize_rows)(MatView<const float> w, const Format& format, std::byte* out);
};

namespace methods {
extern const Method rtn;  // round to nearest
}

std::span<const Method* const> all_methods();
// Throws Error(kUsage) with a "did you mean" when unknown.
const Method& method_by_name(std::string_view name);

}  // namespace nibble
