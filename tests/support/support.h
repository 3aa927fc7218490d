#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// What the tests share: temporary folders, the shipped model, and the optional things a machine may
// have (real texts, llama.cpp). A test that lacks one of those says so with GTEST_SKIP.

namespace nibble::test {

namespace fs = std::filesystem;

// A folder of its own for one test, removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

fs::path source_folder();   // the root of the checkout
fs::path shipped_model();   // models/classics-6m
fs::path nibble_program();  // the built command

// NIBBLE_TEST_DATA / name, when the variable is set and the file is there.
std::optional<fs::path> test_data(const std::string& name);

// llama.cpp, prebuilt: the folder that holds peer.mjs and node_modules (NIBBLE_PEER, or
// build/peer).
std::optional<fs::path> peer_folder();
// A function of libggml-base.so by its C name; nullptr without the peer.
void* peer_symbol(const char* name);

struct CommandResult {
  int exit_code = 0;  // 128 + signal when killed
  std::string out, err;
};
// Runs a program without a shell. `timeout_s` kills it.
CommandResult run_command(const std::vector<std::string>& arguments, const std::string& input = "",
                          int timeout_s = 120);

}  // namespace nibble::test
