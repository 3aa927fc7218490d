#pragma once

#include <string>
#include <string_view>

#include "command.h"

// The help texts, made from the table of commands and the flags they declare.

namespace nibble::cli {

std::string overview();  // what `nibble` alone prints
std::string short_help(const CommandRow& row, const CommandLine& line);  // -h
std::string long_help(const CommandRow& row, const CommandLine& line);   // --help
// "formats", "exit-codes", "environment", or a command's name.
// Throws Error(kUsage) with a "did you mean" when there is no such topic.
std::string topic_help(std::string_view topic);

// Splits a text at spaces into lines of at most `width` columns, each indented by `indent`.
// Paragraphs are separated by an empty line in `text`.
std::string wrap(std::string_view text, size_t indent, size_t width = 80);

}  // namespace nibble::cli
