#include "peer/cli/files/save_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "peer/cli/files/file_name.h"
#include "peer/cli/files/source_file.h"

namespace zpost::cli {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Asks until there is an answer.
template <typename Ask>
auto await(Ask ask) {
  for (;;) {
    if (auto result = ask()) return std::move(*result);
  }
}

class SaveFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "zpost-save-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    path = name;
  }

  void TearDown() override { fs::remove_all(path); }

  static FileOffer offer(const std::string& name, std::uint64_t size) {
    return {std::string(32, 'a'), name, size, 1'000'000'000'000'000'001, false};
  }

  [[nodiscard]] SaveFolder folder(bool overwrite = false) const {
    Result<SaveFolder> opened = SaveFolder::open(path, overwrite);
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }

  static std::string save(FileStore& folder, const FileOffer& offered, std::string_view content) {
    auto file = folder.open(offered);
    if (!file) return file.error().text;
    EXPECT_EQ(checked((*file).get()), 0U);
    EXPECT_TRUE((*file)->append(0, as_bytes(content)));
    return await([&] { return (*file)->save(); }).value();
  }

  static std::uint64_t checked(StoredFile* file) {
    return await([&] { return file->checked(); }).value().size;
  }

  [[nodiscard]] std::string content(const std::string& name) const {
    std::ifstream file(path / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path path;
};

TEST_F(SaveFolderTest, AFileHasItsNameOnlyWhenAllIsThere) {
  SaveFolder saver = folder();
  const FileOffer offered = offer("a", 5);
  auto file = saver.open(offered);
  ASSERT_TRUE(file);
  EXPECT_EQ(checked(file->get()), 0U);
  ASSERT_TRUE((*file)->append(0, as_bytes("hello")));
  EXPECT_FALSE(fs::exists(path / "a"));
  EXPECT_EQ(content(part_name("a", offered.transfer)), "hello");
  EXPECT_EQ(*await([&] { return (*file)->save(); }), "a");
  EXPECT_EQ(content("a"), "hello");
  struct stat status = {};
  ::stat((path / "a").c_str(), &status);
  EXPECT_EQ(status.st_mtim.tv_nsec, 1);
}

TEST_F(SaveFolderTest, APartIsFoundAgainWithAllItHas) {
  SaveFolder saver = folder();
  {
    auto file = saver.open(offer("a", 5));
    ASSERT_TRUE((*file)->append(0, as_bytes("hel")));
  }
  auto file = saver.open(offer("a", 5));
  EXPECT_EQ(checked(file->get()), 3U);
}

TEST_F(SaveFolderTest, APartWithoutAByteIsNotKept) {
  SaveFolder saver = folder();
  (void)saver.open(offer("a", 5));
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(SaveFolderTest, ATakenNameGetsANumberUnlessItIsToBeOverwritten) {
  SaveFolder saver = folder();
  EXPECT_EQ(save(saver, offer("a.txt", 1), "1"), "a.txt");
  EXPECT_EQ(save(saver, offer("a.txt", 2), "22"), "a (2).txt");
  SaveFolder other = folder(true);
  EXPECT_EQ(save(other, offer("a.txt", 3), "333"), "a.txt");
  EXPECT_EQ(content("a.txt"), "333");
}

TEST_F(SaveFolderTest, ALinkOutOfTheFolderIsNeitherReadNorWritten) {
  const fs::path outside = path / "outside";
  std::ofstream(outside) << "mine";
  const fs::path inside = path / "inside";
  fs::create_directory(inside);
  path = inside;
  fs::create_symlink(outside, path / "a");
  fs::create_symlink(outside, path / part_name("b", std::string(32, 'a')));
  SaveFolder saver = folder(true);
  EXPECT_THAT(save(saver, offer("b", 4), "evil"), HasSubstr("Too many levels of symbolic links"));
  EXPECT_EQ(save(saver, offer("a", 4), "evil"), "a");
  EXPECT_FALSE(fs::is_symlink(path / "a")) << "the link itself was replaced";
  std::ifstream file(outside);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine");
  path = path.parent_path();
}

TEST_F(SaveFolderTest, ANamedPipeInPlaceOfAPartKeepsNobodyWaiting) {
  ASSERT_EQ(::mkfifo((path / part_name("a", std::string(32, 'a'))).c_str(), 0600), 0);
  SaveFolder saver = folder();
  EXPECT_THAT(save(saver, offer("a", 4), "x"), HasSubstr("not a part"));
}

TEST_F(SaveFolderTest, APartIsOneReceiversOnly) {
  SaveFolder saver = folder();
  auto file = saver.open(offer("a", 5));
  SaveFolder other = folder();
  EXPECT_THAT(save(other, offer("a", 5), "x"), HasSubstr("another program receives this file"));
}

TEST_F(SaveFolderTest, WhatHasNoRoomIsRefused) {
  SaveFolder saver = folder();
  const auto file = saver.open(offer("a", 1ULL << 60));
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, Outcome::kTooLarge);
  EXPECT_TRUE(fs::is_empty(path));
}

TEST_F(SaveFolderTest, AFolderThatIsMissingOrNoneIsNamed) {
  EXPECT_THAT(SaveFolder::open(path / "missing", false).error().text,
              HasSubstr("missing: No such"));
  std::ofstream(path / "file") << "x";
  EXPECT_THAT(SaveFolder::open(path / "file", false).error().text, HasSubstr("Not a directory"));
}

TEST_F(SaveFolderTest, ASourceIsTheSameTransferUntilItChanges) {
  const fs::path source = path / "source";
  std::ofstream(source) << "hello";
  const FileOffer first = SourceFile::open(source)->offer();
  EXPECT_EQ(SourceFile::open(source)->offer().transfer, first.transfer);
  Result<SourceFile> opened = SourceFile::open(source);
  EXPECT_TRUE(opened->check_unchanged());
  std::ofstream(source, std::ios::app) << "!";
  EXPECT_THAT(opened->check_unchanged().error().text, HasSubstr("changed while it was sent"));
  EXPECT_NE(SourceFile::open(source)->offer().transfer, first.transfer);
}

TEST_F(SaveFolderTest, WhatWasSavedUnderANumberIsThereAlready) {
  std::ofstream(path / "a.txt") << "mine";
  SaveFolder into = folder();
  EXPECT_EQ(save(into, offer("a.txt", 5), "other"), "a (2).txt");
  const auto again = into.open(offer("a.txt", 5));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)->saved_name(), "a (2).txt");
  EXPECT_EQ(checked((*again).get()), 5U);
}

TEST_F(SaveFolderTest, WhatHasANumberIsNoneOfItsNameForWhoOverwrites) {
  std::ofstream(path / "a.txt") << "mine";
  SaveFolder into = folder();
  EXPECT_EQ(save(into, offer("a.txt", 5), "other"), "a (2).txt");
  SaveFolder overwriting = folder(true);
  EXPECT_EQ(save(overwriting, offer("a.txt", 5), "other"), "a.txt");
}

}  // namespace
}  // namespace zpost::cli
