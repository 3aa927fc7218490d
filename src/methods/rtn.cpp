#include "methods/method.h"

// Round to nearest: every block's scale from its own weights, every weight to the nearest code.
// Needs no data. The reference quantizers of GGUF types without an importance matrix do this.

namespace nibble {
namespace {

void quantize_rows(MatView<const float> w, const Format& format, std::byte* out) {
  const size_t row_bytes = format.bytes_for(w.cols);
  for (size_t r = 0; r < w.rows; ++r) {
    format.encode(w.row(r), nullptr, w.cols, out + r * row_bytes);
  }
}

}  // namespace

const Method methods::rtn = {
    .name = "rtn",
    .summary = "round to nearest; needs no data",
    .quantize_rows = quantize_rows,
};

}  // namespace nibble
