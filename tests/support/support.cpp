#include "support/support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace nibble::test {

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (fs::temp_directory_path() / "nibble-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path source_folder() { return NIBBLE_SOURCE_FOLDER; }
fs::path shipped_model() { return source_folder() / "models" / "classics-6m"; }
fs::path nibble_program() { return NIBBLE_PROGRAM; }

std::optional<fs::path> test_data(const std::string& name) {
  const char* folder = std::getenv("NIBBLE_TEST_DATA");
  if (folder == nullptr) return std::nullopt;
  const fs::path path = fs::path(folder) / name;
  return fs::exists(path) ? std::optional(path) : std::nullopt;
}

std::optional<fs::path> peer_folder() {
  const char* named = std::getenv("NIBBLE_PEER");
  const fs::path folder = named != nullptr ? fs::path(named) : source_folder() / "build" / "peer";
  const bool there = fs::exists(folder / "node_modules" / "@node-llama-cpp" / "linux-x64");
  return there ? std::optional(folder) : std::nullopt;
}

void* peer_symbol(const char* name) {
  static void* library = [] {
    const auto folder = peer_folder();
    if (!folder) return static_cast<void*>(nullptr);
    const auto file =
        *folder / "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so";
    return ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  }();
  return library == nullptr ? nullptr : ::dlsym(library, name);
}

namespace {

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    read = ends[0];
    write = ends[1];
  }
  void close_read() { close_end(read); }
  void close_write() { close_end(write); }
  ~Pipe() {
    close_read();
    close_write();
  }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

// False at the end of the stream.
bool drain(int fd, std::string& into) {
  char buffer[65536];
  const ssize_t n = ::read(fd, buffer, sizeof buffer);
  if (n > 0) into.append(buffer, size_t(n));
  return n > 0;
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& arguments, const std::string& input,
                          int timeout_s) {
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  Pipe in, out, err;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(in.read, 0);
    ::dup2(out.write, 1);
    ::dup2(err.write, 2);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  in.close_read();
  out.close_write();
  err.close_write();
  std::signal(SIGPIPE, SIG_IGN);
  for (size_t at = 0; at < input.size();) {
    const ssize_t n = ::write(in.write, input.data() + at, input.size() - at);
    if (n <= 0) break;
    at += size_t(n);
  }
  in.close_write();

  CommandResult result;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(timeout_s);
  bool out_open = true, err_open = true;
  while (out_open || err_open) {
    pollfd fds[2] = {{out_open ? out.read : -1, POLLIN, 0}, {err_open ? err.read : -1, POLLIN, 0}};
    ::poll(fds, 2, 200);
    if (fds[0].revents != 0) out_open = drain(out.read, result.out);
    if (fds[1].revents != 0) err_open = drain(err.read, result.err);
    if (std::chrono::steady_clock::now() > end) ::kill(child, SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace nibble::test
