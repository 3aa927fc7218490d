#include "version.h"

#include "base/error.h"
#include "base/thread_pool.h"
#include "json_document.h"
#include "kernels/isa.h"
#include "output.h"

namespace nibble::cli {
namespace {

constexpr std::string_view kCommit = NIBBLE_COMMIT;  // "" when built outside a checkout
#if defined(__clang__)
constexpr std::string_view kCompiler = "Clang " __clang_version__;
#else
constexpr std::string_view kCompiler = "GCC " __VERSION__;
#endif

}  // namespace

void print_version(std::span<const std::string> words) {
  if (words.empty()) {
    print("nibble {}{}\n", NIBBLE_VERSION, kCommit.empty() ? "" : fmt::format(" ({})", kCommit));
    return;
  }
  if (words.size() > 1 || words[0] != "--json") {
    throw usage_error("--version takes nothing but --json, got {}", words[0]);
  }
  Json json = Json::document("nibble.version/1");
  json.set("version", NIBBLE_VERSION);
  if (kCommit.empty()) {
    json.set_null("commit");
  } else {
    json.set("commit", kCommit);
  }
  json.set("compiler", kCompiler);
  json.set("isa", active_isa().name);
  json.set("threads", usable_cores());
  json.print();
}

}  // namespace nibble::cli
