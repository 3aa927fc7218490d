#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/support.h"

namespace nibble {
namespace {

using test::TemporaryFolder;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

template <typename Action>
ErrorKind kind_thrown_by(Action action) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_FALSE(error.where().empty()) << error.what();
    return error.kind();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorKind::kRuntime;
}

TEST(AtomicFile, AppearsOnlyWithCommit) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "out");
  file.write("hello");
  EXPECT_FALSE(fs::exists(folder / "out"));
  file.commit();
  EXPECT_EQ(read_text_file(folder / "out"), "hello");
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"out"});
}

TEST(AtomicFile, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  { AtomicFile(folder / "out", 100000).write("half"); }
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicFile, KeepsTheOlderFileUntilCommit) {
  const TemporaryFolder folder;
  write_text_file(folder / "out", "old");
  { AtomicFile(folder / "out").write("new"); }
  EXPECT_EQ(read_text_file(folder / "out"), "old");
}

// A reader that opened the name before the commit keeps the old bytes, one after it sees the new.
TEST(AtomicFile, ReplacesByRename) {
  const TemporaryFolder folder;
  write_text_file(folder / "out", "old");
  const MappedFile before(folder / "out");
  write_text_file(folder / "out", "newer");
  EXPECT_EQ(before.size(), 3u);
  EXPECT_EQ(std::to_integer<char>(before.bytes()[0]), 'o');
  EXPECT_EQ(MappedFile(folder / "out").size(), 5u);
}

TEST(AtomicFile, TwoWritersOfOneNameDoNotMix) {
  const TemporaryFolder folder;
  AtomicFile a(folder / "out"), b(folder / "out");
  a.write("aaaa");
  b.write("b");
  a.commit();
  b.commit();
  EXPECT_EQ(read_text_file(folder / "out"), "b");
  EXPECT_EQ(names_in(folder.path()).size(), 1u);
}

TEST(AtomicFile, IsAsLongAsTheLastByteWritten) {
  const TemporaryFolder folder;
  const auto one = std::byte{'x'};
  for (const uint64_t reserved : {uint64_t(0), uint64_t(3), uint64_t(8), uint64_t(1000000)}) {
    AtomicFile file(folder / "out", reserved);
    file.write("ab");
    file.write_at(6, Bytes(&one, 1));
    EXPECT_EQ(file.position(), 2u);
    file.commit();
    EXPECT_EQ(read_text_file(folder / "out"), std::string("ab\0\0\0\0x", 7)) << reserved;
  }
}

TEST(AtomicFile, PadsWithZerosToTheAlignment) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "out");
  file.pad_to(32);
  EXPECT_EQ(file.position(), 0u);
  file.write("abc");
  file.pad_to(32);
  EXPECT_EQ(file.position(), 32u);
  file.pad_to(16384);
  file.commit();
  std::string expected = "abc";
  expected.resize(16384);
  EXPECT_EQ(read_text_file(folder / "out"), expected);
}

TEST(AtomicFile, RefusesFoldersDevicesAndMissingFolders) {
  const TemporaryFolder folder;
  EXPECT_EQ(kind_thrown_by([&] { AtomicFile file(folder.path()); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_thrown_by([&] { AtomicFile file("/dev/null"); }), ErrorKind::kUsage);
  EXPECT_EQ(kind_thrown_by([&] { AtomicFile file(folder / "no" / "out"); }), ErrorKind::kRuntime);
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(AtomicFile, UnfinishedFilesCanBeRemovedFromASignalHandler) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "out");
  EXPECT_EQ(names_in(folder.path()).size(), 1u);
  remove_unfinished_files();
  EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(MappedFile, HoldsTheBytesOfTheFile) {
  const TemporaryFolder folder;
  std::string text(10000, '\0');
  for (size_t i = 0; i < text.size(); ++i) text[i] = char(i * 7);
  write_text_file(folder / "in", text);
  MappedFile file(folder / "in");
  file.will_need(100, 5000);
  file.done_with(0, ~uint64_t(0) / 2);
  const MappedFile moved(std::move(file));
  EXPECT_EQ(file.size(), 0u);  // NOLINT(bugprone-use-after-move): a moved-from file is empty
  ASSERT_EQ(moved.size(), text.size());
  EXPECT_TRUE(std::equal(text.begin(), text.end(), moved.bytes().begin(),
                         [](char a, std::byte b) { return std::byte(a) == b; }));
}

TEST(MappedFile, OfNoBytesIsEmpty) {
  const TemporaryFolder folder;
  write_text_file(folder / "in", "");
  EXPECT_TRUE(MappedFile(folder / "in").bytes().empty());
}

TEST(MappedFile, RefusesWhatIsNotARegularFile) {
  const TemporaryFolder folder;
  const std::string pipe = (folder / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const fs::path& path :
       {folder.path(), folder / "absent", fs::path(pipe), fs::path("/dev/zero")}) {
    EXPECT_EQ(kind_thrown_by([&] { MappedFile file(path); }), ErrorKind::kBadInput) << path;
  }
}

TEST(TextFile, RefusesMoreThanItMayHold) {
  const TemporaryFolder folder;
  write_text_file(folder / "in", "12345");
  EXPECT_EQ(read_text_file(folder / "in", 5), "12345");
  EXPECT_EQ(kind_thrown_by([&] { read_text_file(folder / "in", 4); }), ErrorKind::kBadInput);
}

TEST(SameFile, SeesThroughEverySpelling) {
  const TemporaryFolder folder;
  write_text_file(folder / "a", "x");
  write_text_file(folder / "b", "x");
  fs::create_directory(folder / "sub");
  fs::create_symlink(folder / "a", folder / "link");
  fs::create_directory_symlink(folder.path(), folder / "sub" / "up");
  fs::create_hard_link(folder / "a", folder / "hard");
  for (const fs::path& other :
       {folder / "a", folder / "link", folder / "hard", folder / "sub" / ".." / "a",
        folder / "sub" / "up" / "a", folder.path() / "." / "a",
        fs::relative(folder / "a", fs::current_path())}) {
    EXPECT_TRUE(same_file(folder / "a", other)) << other;
    EXPECT_FALSE(same_file(folder / "b", other)) << other;
  }
}

TEST(SameFile, ComparesNamesOfFilesThatDoNotExistYet) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  EXPECT_TRUE(same_file(folder / "new", folder / "sub" / ".." / "new"));
  EXPECT_TRUE(same_file("never-there", fs::current_path() / "never-there"));
  EXPECT_FALSE(same_file(folder / "new", folder / "newer"));
}

}  // namespace
}  // namespace nibble
