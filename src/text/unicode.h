#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// What tokenizers need to know of Unicode: classes of characters, normal forms, lower case.
// The data is utf8proc's (Unicode 15.0 with utf8proc 2.8).

namespace nibble {

enum CharClass : uint8_t {
  kLetter = 1,       // general category L
  kNumber = 2,       // N
  kSpace = 4,        // property White_Space
  kPunctuation = 8,  // P, or an ASCII punctuation mark
  kMark = 16,        // M
  kWordChar = 32,    // \w of UTS #18: alphabetic, M, Nd, Pc, join controls
};

// One byte of CharClass bits for each of the 0x110000 code points, built at first use.
const uint8_t* char_class_table();
inline uint8_t char_class(uint32_t code_point) { return char_class_table()[code_point]; }

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

// Unicode Standard Annex #15 in O(n log n) also for long runs of combining marks. Bytes that are
// not UTF-8 stay as they are.
std::string normalize(std::string_view text, NormalForm form);
std::string to_lowercase(std::string_view text);
std::string strip_marks(std::string_view text);  // drops category M

}  // namespace nibble
