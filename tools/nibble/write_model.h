#pragma once

#include <string>

#include "command.h"
#include "quantize/pipeline.h"

// What quantize and convert share: the flags of an output, and writing it with a report.

namespace nibble::cli {

struct WriteFlags {
  std::string model, output;
  bool overwrite = false, dry_run = false, json = false;
  uint64_t split_max_bytes = 0, threads = 0;

  void declare_paths(CommandLine& line);      // MODEL, -o, -f, --split-max-size
  void declare_resources(CommandLine& line);  // --dry-run, --json, -j
};

// Opens the model, checks the recipe's rules against it, says every fallback aloud, writes the
// output (not with --dry-run) and prints the report: schema `nibble.VERB/1`.
void write_model(const CommandLine& line, const WriteFlags& flags, const Recipe& recipe,
                 const Method& method);

}  // namespace nibble::cli
