#include <cstddef>
#include <cstdint>

#include "fuzz/check_readers.h"
#include "fuzz/custom_mutator.h"
#include "fuzz/mutate_safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  nibble::fuzz::check_safetensors({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return nibble::fuzz::custom_mutator(data, size, max_size, seed, nibble::fuzz::safetensors_seed,
                                      nibble::fuzz::mutate_safetensors);
}
