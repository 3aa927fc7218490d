#pragma once

#include "base/view.h"

namespace nibble::fuzz {

// Opens the bytes as a container and, when they are accepted, reads both ends of every tensor
// (where a sanitizer or a guard page would notice) and holds the writer against the parser: what
// was parsed can be written, and reads back as the same. Returns whether the bytes were accepted.
// An exception other than Error, or a broken promise, ends the program.
bool check_gguf(Bytes file);
bool check_safetensors(Bytes file);

}  // namespace nibble::fuzz
