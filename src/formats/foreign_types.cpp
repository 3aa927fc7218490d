#include <algorithm>
#include <iterator>

#include "formats/format.h"

// GGUF tensor types that exist and that nibble does not read, so that an error can name them.
// Sources: ggml.h of llama.cpp and of ik_llama.cpp.

namespace nibble {
namespace {

struct ForeignType {
  uint32_t id;
  std::string_view text;
};

// clang-format off
constexpr ForeignType kForeignTypes[] = {
    {9, "Q8_1"}, {10, "Q2_K"}, {11, "Q3_K"}, {12, "Q4_K"}, {13, "Q5_K"}, {14, "Q6_K"}, {15, "Q8_K"},
    {16, "IQ2_XXS"}, {17, "IQ2_XS"}, {18, "IQ3_XXS"}, {19, "IQ1_S"}, {20, "IQ4_NL"}, {21, "IQ3_S"},
    {22, "IQ2_S"}, {23, "IQ4_XS"}, {29, "IQ1_M"}, {34, "TQ1_0"}, {35, "TQ2_0"}, {39, "MXFP4"},
    {40, "NVFP4"}, {41, "Q1_0"}, {42, "Q2_0"},

    {4, "Q4_2 (removed from llama.cpp)"}, {5, "Q4_3 (removed from llama.cpp)"},
    {31, "Q4_0_4_4 (removed from llama.cpp)"}, {32, "Q4_0_4_8 (removed from llama.cpp)"},
    {33, "Q4_0_8_8 (removed from llama.cpp)"}, {36, "IQ4_NL_4_4 (removed from llama.cpp)"},
    {37, "IQ4_NL_4_8 (removed from llama.cpp)"}, {38, "IQ4_NL_8_8 (removed from llama.cpp)"},

    {133, "Q6_0 (ik_llama.cpp)"}, {134, "IQ1_BN (ik_llama.cpp)"}, {135, "IQ2_BN (ik_llama.cpp)"},
    {137, "IQ2_K (ik_llama.cpp)"}, {138, "IQ3_K (ik_llama.cpp)"}, {139, "IQ4_K (ik_llama.cpp)"},
    {140, "IQ5_K (ik_llama.cpp)"}, {141, "IQ6_K (ik_llama.cpp)"}, {144, "IQ4_KS (ik_llama.cpp)"},
    {145, "IQ2_KS (ik_llama.cpp)"}, {146, "IQ4_KSS (ik_llama.cpp)"}, {151, "Q8_KV (ik_llama.cpp)"},
    {152, "IQ5_KS (ik_llama.cpp)"}, {153, "IQ2_KT (ik_llama.cpp)"}, {154, "IQ3_KT (ik_llama.cpp)"},
    {155, "IQ4_KT (ik_llama.cpp)"}, {156, "IQ3_KS (ik_llama.cpp)"}, {157, "IQ2_KL (ik_llama.cpp)"},
    {158, "IQ1_KT (ik_llama.cpp)"}, {202, "Q4_0_R8 (ik_llama.cpp)"},
    {208, "Q8_0_R8 (ik_llama.cpp)"}, {210, "Q2_K_R4 (ik_llama.cpp)"},
    {211, "Q3_K_R4 (ik_llama.cpp)"}, {212, "Q4_K_R4 (ik_llama.cpp)"},
    {213, "Q5_K_R4 (ik_llama.cpp)"}, {214, "Q6_K_R4 (ik_llama.cpp)"},
    {216, "IQ2_XXS_R4 (ik_llama.cpp)"}, {217, "IQ2_XS_R4 (ik_llama.cpp)"},
    {218, "IQ3_XXS_R4 (ik_llama.cpp)"}, {219, "IQ1_S_R4 (ik_llama.cpp)"},
    {220, "IQ4_NL_R4 (ik_llama.cpp)"}, {221, "IQ3_S_R4 (ik_llama.cpp)"},
    {222, "IQ2_S_R4 (ik_llama.cpp)"}, {223, "IQ4_XS_R8 (ik_llama.cpp)"},
    {229, "IQ1_M_R4 (ik_llama.cpp)"}, {230, "BF16_R16 (ik_llama.cpp)"},
    {233, "Q6_0_R4 (ik_llama.cpp)"}, {335, "IQ2_BN_R4 (ik_llama.cpp)"},
    {337, "IQ2_K_R4 (ik_llama.cpp)"}, {338, "IQ3_K_R4 (ik_llama.cpp)"},
    {339, "IQ4_K_R4 (ik_llama.cpp)"}, {340, "IQ5_K_R4 (ik_llama.cpp)"},
    {344, "IQ4_KS_R4 (ik_llama.cpp)"}, {352, "IQ5_KS_R4 (ik_llama.cpp)"},
    {353, "MXFP4_R8 (ik_llama.cpp)"}, {397, "Q8_K_R16 (ik_llama.cpp)"},
    {398, "Q8_KV_R8 (ik_llama.cpp)"}, {399, "Q8_K_R8 (ik_llama.cpp)"},
};
// clang-format on

}  // namespace

std::string_view foreign_gguf_type(uint32_t id) {
  const auto* row = std::ranges::find(kForeignTypes, id, &ForeignType::id);
  return row == std::end(kForeignTypes) ? std::string_view() : row->text;
}

}  // namespace nibble
