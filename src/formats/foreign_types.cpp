#include <algorithm>
#include <array>

#include "formats/format.h"

// GGUF tensor types that exist and that nibble does not read, so that an error can name them.
// Sources: ggml.h of llama.cpp and of ik_llama.cpp.

namespace nibble {
namespace {

struct ForeignType {
  uint32_t id;
  std::string_view text;
};

#define UNREAD(id, name) \
  ForeignType { id, name ", which this version of nibble does not read" }
#define REMOVED(id, name) \
  ForeignType { id, name ", which llama.cpp no longer supports: quantize the original model again" }
#define IK_ONLY(id, name) \
  ForeignType { id, name ", which only ik_llama.cpp writes and reads" }

constexpr std::array kForeignTypes = {
    // clang-format off
    REMOVED(4, "Q4_2"), REMOVED(5, "Q4_3"), UNREAD(9, "Q8_1"), UNREAD(10, "Q2_K"),
    UNREAD(11, "Q3_K"), UNREAD(12, "Q4_K"), UNREAD(13, "Q5_K"), UNREAD(14, "Q6_K"),
    UNREAD(15, "Q8_K"), UNREAD(16, "IQ2_XXS"), UNREAD(17, "IQ2_XS"), UNREAD(18, "IQ3_XXS"),
    UNREAD(19, "IQ1_S"), UNREAD(20, "IQ4_NL"), UNREAD(21, "IQ3_S"), UNREAD(22, "IQ2_S"),
    UNREAD(23, "IQ4_XS"), UNREAD(29, "IQ1_M"), REMOVED(31, "Q4_0_4_4"), REMOVED(32, "Q4_0_4_8"),
    REMOVED(33, "Q4_0_8_8"), UNREAD(34, "TQ1_0"), UNREAD(35, "TQ2_0"), REMOVED(36, "IQ4_NL_4_4"),
    REMOVED(37, "IQ4_NL_4_8"), REMOVED(38, "IQ4_NL_8_8"), UNREAD(39, "MXFP4"), UNREAD(40, "NVFP4"),
    UNREAD(41, "Q1_0"), UNREAD(42, "Q2_0"), IK_ONLY(133, "Q6_0"), IK_ONLY(134, "IQ1_BN"),
    IK_ONLY(135, "IQ2_BN"), IK_ONLY(137, "IQ2_K"), IK_ONLY(138, "IQ3_K"), IK_ONLY(139, "IQ4_K"),
    IK_ONLY(140, "IQ5_K"), IK_ONLY(141, "IQ6_K"), IK_ONLY(144, "IQ4_KS"), IK_ONLY(145, "IQ2_KS"),
    IK_ONLY(146, "IQ4_KSS"), IK_ONLY(151, "Q8_KV"), IK_ONLY(152, "IQ5_KS"), IK_ONLY(153, "IQ2_KT"),
    IK_ONLY(154, "IQ3_KT"), IK_ONLY(155, "IQ4_KT"), IK_ONLY(156, "IQ3_KS"), IK_ONLY(157, "IQ2_KL"),
    IK_ONLY(158, "IQ1_KT"), IK_ONLY(202, "Q4_0_R8"), IK_ONLY(208, "Q8_0_R8"),
    IK_ONLY(210, "Q2_K_R4"), IK_ONLY(211, "Q3_K_R4"), IK_ONLY(212, "Q4_K_R4"),
    IK_ONLY(213, "Q5_K_R4"), IK_ONLY(214, "Q6_K_R4"), IK_ONLY(216, "IQ2_XXS_R4"),
    IK_ONLY(217, "IQ2_XS_R4"), IK_ONLY(218, "IQ3_XXS_R4"), IK_ONLY(219, "IQ1_S_R4"),
    IK_ONLY(220, "IQ4_NL_R4"), IK_ONLY(221, "IQ3_S_R4"), IK_ONLY(222, "IQ2_S_R4"),
    IK_ONLY(223, "IQ4_XS_R8"), IK_ONLY(229, "IQ1_M_R4"), IK_ONLY(230, "BF16_R16"),
    IK_ONLY(233, "Q6_0_R4"), IK_ONLY(335, "IQ2_BN_R4"), IK_ONLY(337, "IQ2_K_R4"),
    IK_ONLY(338, "IQ3_K_R4"), IK_ONLY(339, "IQ4_K_R4"), IK_ONLY(340, "IQ5_K_R4"),
    IK_ONLY(344, "IQ4_KS_R4"), IK_ONLY(352, "IQ5_KS_R4"), IK_ONLY(353, "MXFP4_R8"),
    IK_ONLY(397, "Q8_K_R16"), IK_ONLY(398, "Q8_KV_R8"), IK_ONLY(399, "Q8_K_R8"),
    // clang-format on
};

#undef UNREAD
#undef REMOVED
#undef IK_ONLY

}  // namespace

std::string_view foreign_gguf_type(uint32_t id) {
  const auto row = std::ranges::find(kForeignTypes, id, &ForeignType::id);
  return row == kForeignTypes.end() ? std::string_view() : row->text;
}

}  // namespace nibble
