#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/error.h"

namespace nibble {
namespace {

// What the signal handlers may look at: plain arrays, no allocation, no locks.
constexpr int kSlots = 512;  // one for each file of the largest split that is written
constexpr size_t kMaxPath = 4096;
struct TemporarySlot {
  std::atomic<bool> used{false};
  char path[kMaxPath] = {};
};
struct MappingSlot {
  std::atomic<const std::byte*> begin{nullptr};
  size_t size = 0;
  char path[kMaxPath] = {};
};
TemporarySlot temporaries[kSlots];
constexpr int kMappingSlots = 1024;
MappingSlot mappings[kMappingSlots];
std::mutex slots_mutex;

int take_temporary_slot(const std::string& path) {
  std::lock_guard lock(slots_mutex);
  for (int i = 0; i < kSlots; ++i) {
    if (temporaries[i].used.load() || path.size() >= kMaxPath) continue;
    std::memcpy(temporaries[i].path, path.c_str(), path.size() + 1);
    temporaries[i].used.store(true);
    return i;
  }
  return -1;
}

void remember_mapping(const std::byte* begin, size_t size, const std::string& path) {
  std::lock_guard lock(slots_mutex);
  for (auto& slot : mappings) {
    if (slot.begin.load() != nullptr) continue;
    slot.size = size;
    const size_t n = std::min(path.size(), kMaxPath - 1);
    std::memcpy(slot.path, path.data(), n);
    slot.path[n] = 0;
    slot.begin.store(begin);
    return;
  }
}

void forget_mapping(const std::byte* begin) {
  std::lock_guard lock(slots_mutex);
  for (auto& slot : mappings) {
    if (slot.begin.load() == begin) slot.begin.store(nullptr);
  }
}

void put(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

extern "C" void on_file_fault(int, siginfo_t* info, void*) {
  const auto* address = static_cast<const std::byte*>(info->si_addr);
  for (auto& slot : mappings) {
    const std::byte* begin = slot.begin.load();
    if (begin == nullptr || address < begin || address >= begin + slot.size) continue;
    put("\nerror: ");
    put(slot.path);
    put(": the file shrank, or its disk failed, while it was being read\n"
        "hint: something else is writing to it; run again when that is done\n");
    remove_unfinished_files();
    ::_exit(int(ErrorKind::kBadInput));
  }
  std::signal(SIGBUS, SIG_DFL);
  std::raise(SIGBUS);
}

Error system_error(int error_number, const char* doing, const fs::path& path) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  Error error(full ? ErrorKind::kResources : ErrorKind::kRuntime,
              fmt::format("{}: {}", doing, std::strerror(error_number)));
  error.at(path.string());
  if (full) error.hint("free some space or choose another folder; what was there before is intact");
  return error;
}

// Only a plain file may be replaced: a rename onto /dev/null would remove the device.
void refuse_special_file(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status)) {
    throw usage_error("the output is a folder, expected a file name").at(path.string());
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw usage_error("the output is not a regular file").at(path.string());
  }
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

void install_file_fault_handler() {
  struct sigaction action = {};
  action.sa_sigaction = on_file_fault;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
  std::signal(SIGXFSZ, SIG_IGN);
}

void remove_unfinished_files() noexcept {
  for (auto& slot : temporaries) {
    if (slot.used.load()) ::unlink(slot.path);
  }
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  // Without O_NONBLOCK a pipe under this name would hold the program until somebody writes to it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    throw bad_input("cannot open the file: {}", std::strerror(errno)).at(path.string());
  }
  struct stat info = {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    throw bad_input("expected a regular file").at(path.string());
  }
  size_ = uint64_t(info.st_size);
  if (size_ > 0) {
    void* data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      const int error_number = errno;
      ::close(fd);
      throw out_of_resources("cannot map {} bytes: {}", size_, std::strerror(error_number))
          .at(path.string());
    }
    data_ = static_cast<const std::byte*>(data);
    remember_mapping(data_, size_, path.string());
  }
  ::close(fd);
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  forget_mapping(data_);
  ::munmap(const_cast<std::byte*>(data_), size_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {
void advise(const std::byte* data, uint64_t size, uint64_t offset, uint64_t length, int advice) {
  if (data == nullptr || offset >= size) return;
  constexpr uint64_t kPage = 4096;
  const uint64_t end = std::min(size, offset + length);
  // Only whole pages inside the range are given up; all pages it touches are asked for.
  const bool drop = advice == MADV_DONTNEED;
  const uint64_t from = drop ? (offset + kPage - 1) / kPage * kPage : offset / kPage * kPage;
  const uint64_t to = drop && end != size ? end / kPage * kPage : end;
  if (from < to) ::madvise(const_cast<std::byte*>(data) + from, to - from, advice);
}
}  // namespace

void MappedFile::will_need(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_WILLNEED);
}

void MappedFile::done_with(uint64_t offset, uint64_t length) const {
  advise(data_, size_, offset, length, MADV_DONTNEED);
}

AtomicFile::AtomicFile(fs::path path, uint64_t expected_size) : path_(std::move(path)) {
  refuse_special_file(path_);
  static std::atomic<int> counter{0};
  const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
  temporary_ = folder / fmt::format(".{}.tmp.{}.{}", path_.filename().string(), ::getpid(),
                                    counter.fetch_add(1));
  slot_ = take_temporary_slot(temporary_.string());
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    const int error_number = errno;
    if (slot_ >= 0) temporaries[slot_].used.store(false);
    throw system_error(error_number, "cannot create the file", path_);
  }
  if (expected_size == 0) return;
  const int result = ::posix_fallocate(fd_, 0, off_t(expected_size));
  if (result == ENOSPC || result == EFBIG || result == EDQUOT) {
    // The destructor does not run for an object whose constructor throws.
    ::close(fd_);
    ::unlink(temporary_.c_str());
    if (slot_ >= 0) temporaries[slot_].used.store(false);
    throw system_error(result, fmt::format("cannot reserve {} bytes", expected_size).c_str(),
                       path_);
  }
  if (result == 0) reserved_ = expected_size;
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
  if (slot_ >= 0) temporaries[slot_].used.store(false);
}

void AtomicFile::fail(int error_number, const char* doing) const {
  throw system_error(error_number, doing, path_);
}

void AtomicFile::write(Bytes bytes) {
  write_at(position_, bytes);
  position_ += bytes.size();
  // Writeback starts while the next part is computed, so that the final fsync is short.
  constexpr uint64_t kFlushEvery = 32u << 20;
  if (position_ - flushed_ >= kFlushEvery) {
    ::sync_file_range(fd_, off_t(flushed_), off_t(position_ - flushed_), SYNC_FILE_RANGE_WRITE);
    flushed_ = position_;
  }
}

void AtomicFile::write(std::string_view text) {
  write(Bytes(reinterpret_cast<const std::byte*>(text.data()), text.size()));
}

void AtomicFile::write_at(uint64_t offset, Bytes bytes) {
  const std::byte* p = bytes.data();
  size_t left = bytes.size();
  while (left > 0) {
    const ssize_t n = ::pwrite(fd_, p, left, off_t(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno, "cannot write");
    p += n;
    left -= size_t(n);
    offset += uint64_t(n);
  }
  end_ = std::max(end_, offset);
}

void AtomicFile::pad_to(uint64_t alignment) {
  static constexpr std::byte zeros[4096] = {};
  uint64_t left = (alignment - position_ % alignment) % alignment;
  while (left > 0) {
    const uint64_t n = std::min<uint64_t>(left, sizeof zeros);
    write(Bytes(zeros, n));
    left -= n;
  }
}

void AtomicFile::commit() {
  if (reserved_ > end_ && ::ftruncate(fd_, off_t(end_)) != 0) fail(errno, "cannot set the length");
  if (::fsync(fd_) != 0) fail(errno, "cannot flush to disk");
  if (::close(std::exchange(fd_, -1)) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    const int error_number = errno;
    ::unlink(temporary_.c_str());
    if (slot_ >= 0) temporaries[slot_].used.store(false);
    fail(error_number, "cannot finish the file");
  }
  if (slot_ >= 0) temporaries[slot_].used.store(false);
  sync_folder(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

std::string read_text_file(const fs::path& path, uint64_t max_bytes) {
  const MappedFile file(path);
  if (file.size() > max_bytes) {
    throw bad_input("expected at most {} bytes, got {}", max_bytes, file.size()).at(path.string());
  }
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

void write_text_file(const fs::path& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

bool same_file(const fs::path& a, const fs::path& b) {
  std::error_code error;
  if (fs::equivalent(a, b, error)) return true;
  // At least one does not exist; then only its spelling can tell.
  const auto spelled_out = [&](const fs::path& path) {
    const fs::path absolute = fs::absolute(path, error);
    const fs::path canonical = fs::weakly_canonical(absolute, error);
    return canonical.empty() ? absolute.lexically_normal() : canonical;
  };
  return spelled_out(a) == spelled_out(b);
}

}  // namespace nibble
