#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/view.h"

namespace nibble {

namespace fs = std::filesystem;

// A whole file, mapped read-only. The bytes live as long as the object.
// A file that another process truncates while it is mapped ends the program with a clear error and
// exit code 4 (install_file_fault_handler), not with a bare SIGBUS.
class MappedFile {
 public:
  // Throws Error(kBadInput) when the file does not exist, is a directory or cannot be read.
  explicit MappedFile(const fs::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  Bytes bytes() const { return {data_, size_}; }
  uint64_t size() const { return size_; }
  const fs::path& path() const { return path_; }
  // Tells the kernel the range will be read soon, or will not be needed again.
  void will_need(uint64_t offset, uint64_t length) const;
  void done_with(uint64_t offset, uint64_t length) const;

 private:
  fs::path path_;
  const std::byte* data_ = nullptr;
  uint64_t size_ = 0;
};

// Turns SIGBUS inside a mapping into "error: FILE: the file shrank while it was being read" and
// exit code 4, after the temporary files of unfinished AtomicFiles are removed. A write past the
// process's file size limit becomes Error(kResources) instead of a signal.
void install_file_fault_handler();

// Removes the temporary files of every unfinished AtomicFile. Async-signal-safe.
void remove_unfinished_files() noexcept;

// Writes a file that appears under its name only when it is complete: bytes go to
// `.NAME.tmp.PID.N` in the same folder, commit() does fsync, rename and fsync of the folder.
// Destroyed without commit(), it leaves nothing behind, and an older file stays as it was.
class AtomicFile {
 public:
  // With `expected_size` > 0 the space is reserved first, so that a full disk is known at once.
  // Throws Error(kResources) when there is no room, Error(kRuntime) when the folder is not
  // writable, Error(kUsage) when the name is that of a folder or a device.
  explicit AtomicFile(fs::path path, uint64_t expected_size = 0);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(Bytes bytes);                      // appends
  void write(std::string_view text);            // appends
  void write_at(uint64_t offset, Bytes bytes);  // anywhere; does not move the append position
  void pad_to(uint64_t alignment);              // appends zeros
  uint64_t position() const { return position_; }
  void commit();  // the file is as long as the last byte written
  const fs::path& path() const { return path_; }

 private:
  void fail(int error_number, const char* doing) const;

  fs::path path_, temporary_;
  int fd_ = -1, slot_ = -1;
  uint64_t position_ = 0, end_ = 0, reserved_ = 0, flushed_ = 0;
};

std::string read_text_file(const fs::path& path, uint64_t max_bytes = uint64_t(1) << 30);
void write_text_file(const fs::path& path, std::string_view text);  // atomic

// True when both name the same file on disk, through links, "..", or different spellings.
bool same_file(const fs::path& a, const fs::path& b);

}  // namespace nibble
