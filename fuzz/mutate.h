#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/random.h"

// What the mutators of all file kinds share. A mutator turns a file into one that is wrong in a few
// places of its structure, so that most of them get past the first check. The same seed gives the
// same mutations: the fuzz targets and tests/io/mutation_test.cpp run the same ones.

namespace nibble::fuzz {

// 0, 1, and both sides of the borders of 31, 32, 63 and 64 bits.
std::span<const uint64_t> borders();

// Flips a bit, cuts the end off, or inserts, doubles or removes a stretch of bytes.
void mutate_bytes(std::string& file, Random& random);

// A pick of [0, size), or 0 when there is nothing to pick.
size_t pick(Random& random, size_t size);

}  // namespace nibble::fuzz
