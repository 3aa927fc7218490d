#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "io/container.h"

namespace nibble {

// One file of a container that is to be written.
struct OutputFile {
  fs::path path;
  std::string header;             // its first bytes
  uint64_t size = 0;              // all of it, padding included
  std::vector<uint64_t> offsets;  // of its tensors' bytes, in the order they will be appended
  std::vector<uint64_t> sizes;
};

// What a writer tells of its files.
std::vector<PlannedFile> planned(std::span<const OutputFile> files);

// Streams tensors into the files of one model, which appear under their names together.
//
// A rename makes one file appear, not several, so the set has a `marker`: the file a reader needs
// first (a split's first file, an index). finish() removes an old marker, renames the others, and
// the marker last. Interrupted in between (power cut, a rename that fails), it leaves no marker:
// readers say that the model is incomplete and never see old and new files mixed. A single file is
// its own marker and is replaced at once.
class OutputFiles {
 public:
  // Creates and reserves every file under its temporary name, and writes the headers.
  // `marker` indexes `files`. Throws Error(kResources) when the disk has no room.
  OutputFiles(std::vector<OutputFile> files, size_t marker);
  // The next bytes of the tensors, file after file. REQUIRES: not more than `sizes` announced.
  void append(Bytes bytes);
  // REQUIRES: every announced byte was appended.
  void finish();

 private:
  void skip_complete_tensors();

  std::vector<OutputFile> plan_;
  std::vector<std::unique_ptr<AtomicFile>> files_;
  size_t marker_;
  size_t file_ = 0, tensor_ = 0;  // the tensor being appended
  uint64_t written_ = 0;          // bytes of it
};

}  // namespace nibble
