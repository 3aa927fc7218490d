#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/file.h"
#include "io/container.h"
#include "io/gguf.h"
#include "io/safetensors.h"

namespace nibble {
namespace {

constexpr size_t kSniffedBytes = 64;

bool starts_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(),
                    [](char a, std::byte b) { return std::byte(a) == b; });
}

bool looks_like_json(Bytes start) {
  const auto is_space = [](std::byte b) {
    return b == std::byte{' '} || b == std::byte{'\n'} || b == std::byte{'\r'} ||
           b == std::byte{'\t'};
  };
  const auto it = std::find_if_not(start.begin(), start.end(), is_space);
  return it != start.end() && *it == std::byte{'{'};
}

// Why a file of another kind is not read.
Error unknown_file(Bytes start) {
  constexpr std::string_view kPickleHint =
      "pickles can run code when they are opened, so nibble does not; convert the model to "
      "safetensors";
  if (starts_with(start, "PK\x03\x04") || starts_with(start, "\x80\x02")) {
    return bad_input("this is a PyTorch pickle, expected GGUF or safetensors").hint(kPickleHint);
  }
  for (const auto* magic : {"lmgg", "fmgg", "tjgg", "algg"}) {
    if (starts_with(start, magic)) {
      return bad_input("this is a GGML file from before August 2023, expected GGUF or safetensors")
          .hint("convert the original model again");
    }
  }
  if (starts_with(start, "version https://git-lfs")) {
    return bad_input("this is a Git LFS pointer, the model itself was not downloaded")
        .hint("run \"git lfs pull\" in its folder");
  }
  return bad_input("expected GGUF, safetensors or an index.json")
      .hint("give a .gguf file, a .safetensors file or a Hugging Face folder");
}

std::unique_ptr<Reader> open_file(const fs::path& path) {
  const MappedFile file(path);
  const Bytes start = file.bytes().first(std::min<size_t>(file.bytes().size(), kSniffedBytes));
  if (looks_like_gguf(start)) return open_gguf(path);
  if (looks_like_safetensors(start)) return open_safetensors(path);
  if (looks_like_json(start)) return open_safetensors_index(path);
  throw unknown_file(start).at(path.string());
}

// Names of the regular files in the folder, sorted.
std::vector<std::string> list_files(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) names.push_back(it->path().filename().string());
  }
  if (error) throw bad_input("cannot list the folder: {}", error.message()).at(folder.string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> with_ending(const std::vector<std::string>& names,
                                     std::string_view ending) {
  std::vector<std::string> result;
  std::copy_if(names.begin(), names.end(), std::back_inserter(result),
               [&](const std::string& name) { return name.ends_with(ending); });
  return result;
}

std::string some_of(std::span<const std::string> names) {
  constexpr size_t kShown = 8;
  std::vector<std::string> shown;
  for (const auto& name : names.first(std::min(names.size(), kShown))) {
    shown.push_back(printable(name));
  }
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

Error no_model(const fs::path& folder, const std::vector<std::string>& names) {
  Error error = names.empty()
                    ? bad_input("the folder is empty, expected a model")
                    : bad_input("expected a model in the folder, found {}", some_of(names));
  error.at(folder.string());
  for (const auto* ending : {".bin", ".pt", ".pth"}) {
    if (with_ending(names, ending).empty()) continue;
    return error.hint(
        "pickles can run code when they are opened, so nibble does not; convert the model to "
        "safetensors");
  }
  return error.hint("expected model.safetensors, model.safetensors.index.json or one .gguf file");
}

// Whether the files are the complete and only split in the folder.
bool is_one_split(const std::vector<std::string>& names) {
  const uint64_t count = names.size();
  const std::string ending = gguf_split_path("", 1, count).string();
  if (!names.front().ends_with(ending)) return false;
  const std::string prefix = names.front().substr(0, names.front().size() - ending.size());
  for (uint64_t i = 0; i < count; ++i) {
    if (names[i] != gguf_split_path(prefix, i + 1, count)) return false;
  }
  return true;
}

std::unique_ptr<Reader> open_folder(const fs::path& folder) {
  for (const auto name : {kSafetensorsIndex, kSafetensorsFile}) {
    std::error_code error;
    if (fs::exists(folder / name, error)) return open_file(folder / name);
  }
  const auto names = list_files(folder);
  const auto ggufs = with_ending(names, ".gguf");
  if (ggufs.size() == 1 || (ggufs.size() > 1 && is_one_split(ggufs))) {
    return open_gguf(folder / ggufs.front());
  }
  if (ggufs.size() > 1) {
    throw bad_input("the folder holds several models: {}", some_of(ggufs))
        .at(folder.string())
        .hint("name one of the files");
  }
  const auto safetensors = with_ending(names, ".safetensors");
  if (safetensors.size() == 1) return open_safetensors(folder / safetensors.front());
  throw no_model(folder, names);
}

}  // namespace

std::unique_ptr<Reader> open_container(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? open_folder(path) : open_file(path);
}

}  // namespace nibble
