// Writes a model with random weights, for measuring speed on shapes that cannot be shipped:
//   make_model FOLDER [tinyllama]
// tinyllama: 1.1 B parameters, 22 layers, hidden 2048, FFN 5632, 32 heads, 4 KV heads, vocabulary
// 32000, bf16, untied.

#include <fmt/format.h>

#include <cstdio>
#include <string_view>

#include "base/error.h"
#include "support/synthetic_model.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3 || (argc == 3 && std::string_view(argv[2]) != "tinyllama")) {
    fmt::print(stderr, "usage: make_model FOLDER [tinyllama]\n");
    return 2;
  }
  try {
    nibble::test::write_synthetic_model(argv[1], {.hf_class = "LlamaForCausalLM",
                                                  .hidden = 2048,
                                                  .layers = 22,
                                                  .heads = 32,
                                                  .kv_heads = 4,
                                                  .head_dim = 64,
                                                  .ffn = 5632,
                                                  .vocabulary = 32000,
                                                  .context = 2048,
                                                  .seed = 1});
  } catch (const nibble::Error& error) {
    fmt::print(stderr, "error: {}\n", error.message());
    return int(error.kind());
  }
}
