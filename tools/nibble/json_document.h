#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>

// Writing JSON. A thin cover over nlohmann-json, so that only one file pays for its header.

namespace nibble::cli {

class Json {
 public:
  static Json object();
  static Json array();
  // An object that begins with {"schema": id}.
  static Json document(std::string_view schema);
  Json(Json&&) noexcept;
  Json& operator=(Json&&) noexcept;
  ~Json();

  // Objects: appends a field, keeping the order of the calls. A double that is not finite and an
  // empty optional become null; bytes that are not UTF-8 become U+FFFD.
  void set(std::string_view key, Json value);
  void set(std::string_view key, std::string_view value);
  void set(std::string_view key, const char* value) { set(key, std::string_view(value)); }
  void set(std::string_view key, double value);
  template <typename T>
  requires std::is_integral_v<T>
  void set(std::string_view key, T value) {
    if constexpr (std::is_same_v<T, bool>)
      set_bool(key, value);
    else if constexpr (std::is_signed_v<T>)
      set_int(key, int64_t(value));
    else
      set_uint(key, uint64_t(value));
  }
  template <typename T>
  void set(std::string_view key, const std::optional<T>& value) {
    value ? set(key, *value) : set_null(key);
  }
  void set_null(std::string_view key);

  // Arrays.
  void push(Json value);
  void push(std::string_view value);
  void push(double value);
  template <typename T>
  requires std::is_integral_v<T>
  void push(T value) {
    if constexpr (std::is_same_v<T, bool>)
      push_bool(value);
    else if constexpr (std::is_signed_v<T>)
      push_int(int64_t(value));
    else
      push_uint(uint64_t(value));
  }

  // Prints the document and a newline on standard output; `compact` puts it all on one line.
  void print(bool compact = false) const;

 private:
  struct Value;
  Json();
  void set_bool(std::string_view key, bool value);
  void set_int(std::string_view key, int64_t value);
  void set_uint(std::string_view key, uint64_t value);
  void push_bool(bool value);
  void push_int(int64_t value);
  void push_uint(uint64_t value);

  std::unique_ptr<Value> value_;
};

}  // namespace nibble::cli
