// Quantizes a GGUF file with llama.cpp, for timing beside nibble:
//   peer_quantize FOLDER INPUT.gguf OUTPUT.gguf FILE_TYPE THREADS
// FOLDER holds libllama and libggml of the npm package @node-llama-cpp/linux-x64; FILE_TYPE is the
// number of general.file_type (2 = Q4_0, 7 = Q8_0).

#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

// llama_model_quantize_params: what we set are its first members, the rest keeps its defaults. The
// struct is returned through memory, so room for a larger one costs nothing.
struct Parameters {
  int32_t threads;
  int32_t file_type;
  std::byte rest[1016];
};

void* open_library(const std::filesystem::path& folder, const std::string& stem) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(stem) && name.find(".so") != std::string::npos) {
      return ::dlopen(entry.path().c_str(), RTLD_NOW | RTLD_GLOBAL);
    }
  }
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: peer_quantize FOLDER INPUT OUTPUT FILE_TYPE THREADS\n");
    return 2;
  }
  open_library(argv[1], "libggml-base.");
  void* ggml = open_library(argv[1], "libggml.");
  void* llama = open_library(argv[1], "libllama.v");
  if (ggml == nullptr || llama == nullptr) {
    std::fprintf(stderr, "peer_quantize: no llama.cpp in %s: %s\n", argv[1], ::dlerror());
    return 1;
  }
  const auto load_backends =
      reinterpret_cast<void (*)(const char*)>(::dlsym(ggml, "ggml_backend_load_all_from_path"));
  const auto defaults =
      reinterpret_cast<Parameters (*)()>(::dlsym(llama, "llama_model_quantize_default_params"));
  const auto quantize = reinterpret_cast<uint32_t (*)(const char*, const char*, const Parameters*)>(
      ::dlsym(llama, "llama_model_quantize"));
  if (load_backends == nullptr || defaults == nullptr || quantize == nullptr) return 1;
  load_backends(argv[1]);
  Parameters parameters = defaults();
  parameters.file_type = std::atoi(argv[4]);
  parameters.threads = std::atoi(argv[5]);
  return quantize(argv[2], argv[3], &parameters) == 0 ? 0 : 1;
}
