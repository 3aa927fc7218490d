#include <array>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"
#include "methods/method.h"

namespace nibble {
namespace {
constexpr std::array kMethods = {&methods::rtn};
}

std::span<const Method* const> all_methods() { return kMethods; }

const Method& method_by_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Method* method : kMethods) {
    if (method->name == name) return *method;
    names.push_back(method->name);
  }
  const std::string suggestion = did_you_mean(name, names);
  throw usage_error("unknown method \"{}\"", name)
      .hint(suggestion.empty() ? fmt::format("there is: {}", fmt::join(names, ", ")) : suggestion);
}

}  // namespace nibble
