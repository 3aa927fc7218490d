#include "output.h"

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/progress.h"

namespace nibble::cli {
namespace {

[[noreturn]] void output_failed() {
  if (errno == EPIPE) throw BrokenPipe();
  throw out_of_resources("{}", std::strerror(errno)).at("standard output");
}

std::string padded(std::string_view text, size_t width, bool right) {
  const std::string space(width - std::min(width, text_width(text)), ' ');
  return right ? space + std::string(text) : std::string(text) + space;
}

bool is_utf8_locale() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != 0;
}

}  // namespace

void print_text(std::string_view text) {
  if (text.empty()) return;
  clear_progress_line();
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) output_failed();
}

void flush_output() {
  if (std::fflush(stdout) != 0) output_failed();
}

const Glyphs& glyphs() {
  static constexpr Glyphs kUnicode = {"±", "→", "×", "…"}, kAscii = {"+-", "->", "x", "..."};
  static const bool utf8 = is_utf8_locale();
  return utf8 ? kUnicode : kAscii;
}

bool colour_errors() {
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return ::isatty(STDERR_FILENO) == 1 && !is_set("NO_COLOR") && !dumb;
}

void Fields::print() const {
  size_t width = 0;
  for (const auto& [label, value] : lines_) width = std::max(width, text_width(label));
  for (const auto& [label, value] : lines_) {
    print_text(fmt::format("{}  {}\n", padded(label, width, false), value));
  }
}

void Table::print() const {
  std::vector<size_t> widths;
  for (size_t c = 0; c < columns_.size(); ++c) {
    size_t width = text_width(columns_[c].heading);
    for (const auto& row : rows_) width = std::max(width, text_width(row[c]));
    widths.push_back(width);
  }
  const auto print_row = [&](auto cell) {
    std::string line;
    for (size_t c = 0; c < columns_.size(); ++c) {
      line += padded(cell(c), widths[c], columns_[c].right) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print_text(line + "\n");
  };
  print_row([&](size_t c) { return columns_[c].heading; });
  for (const auto& row : rows_) {
    print_row([&](size_t c) { return std::string_view(row[c]); });
  }
}

size_t text_width(std::string_view text) {
  return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string printable(std::string_view text, size_t max) {
  std::string out;
  size_t points = 0;
  for (const char c : text) {
    if ((c & 0xC0) != 0x80 && points++ == max) return out + std::string(glyphs().ellipsis);
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace nibble::cli
