#pragma once

#include <cstdint>

// How much a file from outside may ask for. A file beyond these is refused before anything of that
// size is allocated; every limit lies far above what published models use.

namespace nibble::limits {

// Both containers: everything before the tensors' bytes. safetensors fixes this number.
inline constexpr uint64_t kHeaderBytes = 100'000'000;
inline constexpr uint64_t kTensors = uint64_t(1) << 20;
// No product of dimensions goes beyond, so that byte counts stay far from wrapping.
inline constexpr uint64_t kElements = uint64_t(1) << 62;

// GGUF. Name and dimension limits are those of ggml, key length that of the specification.
inline constexpr uint64_t kKeys = 65'536;
inline constexpr uint64_t kKeyBytes = 65'535;
inline constexpr uint64_t kStringBytes = uint64_t(64) << 20;
inline constexpr uint64_t kGgufNameBytes = 63;
inline constexpr uint32_t kGgufDimensions = 4;
inline constexpr uint64_t kMinAlignment = 8;
inline constexpr uint64_t kMaxAlignment = uint64_t(1) << 20;

// safetensors, which sets none itself.
inline constexpr uint64_t kSafetensorsNameBytes = 4096;
inline constexpr uint64_t kSafetensorsDimensions = 64;
inline constexpr uint64_t kIndexBytes = kHeaderBytes;

// Files of one model: what the five digits of a split's name can count, and what one process can
// hold open while it writes.
inline constexpr uint64_t kInputFiles = 9'999;
inline constexpr uint64_t kOutputFiles = 512;

}  // namespace nibble::limits
