#pragma once

#include <fmt/format.h>

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What a command says: results on standard output, everything else through base/log.h on standard
// error. Nothing else in tools/ writes to a stream.

namespace nibble::cli {

// Somebody closed our standard output (`nibble inspect MODEL | head`): leave without a word.
struct BrokenPipe : std::exception {
  const char* what() const noexcept override { return "standard output was closed"; }
};

// Throws BrokenPipe, or Error(kResources) when the disk behind standard output is full.
void print_text(std::string_view text);
void flush_output();
template <typename... Args>
void print(fmt::format_string<Args...> format, Args&&... args) {
  print_text(fmt::format(format, std::forward<Args>(args)...));
}

// Glyphs the locale can show; ASCII stand-ins elsewhere.
struct Glyphs {
  std::string_view plus_minus, arrow, times, ellipsis;
};
const Glyphs& glyphs();

// True when standard error is a terminal that wants colour (NO_COLOR unset, TERM not "dumb").
bool colour_errors();

// "label   value" lines with the values below each other.
class Fields {
 public:
  template <typename... Args>
  void add(std::string_view label, fmt::format_string<Args...> format, Args&&... args) {
    lines_.emplace_back(label, fmt::format(format, std::forward<Args>(args)...));
  }
  void print() const;

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

// Columns wide enough for their longest cell; `right` columns are aligned to the right.
class Table {
 public:
  struct Column {
    std::string_view heading;
    bool right = false;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Terminal columns of a UTF-8 text, one per code point.
size_t text_width(std::string_view text);
// Text from a file, made safe to print: control characters (escape sequences among them) become
// \xNN, longer than `max` code points is cut with an ellipsis.
std::string printable(std::string_view text, size_t max = 72);

}  // namespace nibble::cli
