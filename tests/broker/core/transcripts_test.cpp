// Every conversation in transcripts/ goes as it is written down.
//
// After a change that is meant: ZPOST_REWRITE_TRANSCRIPTS=1 core_transcripts_test, then review the
// diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/broker/core/support/script.h"

namespace zpost::core::test {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> transcripts() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(ZPOST_TRANSCRIPTS_DIR)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class TranscriptTest : public testing::TestWithParam<fs::path> {};

TEST_P(TranscriptTest, GoesAsItIsWrittenDown) {
  const std::string expected = read_file(GetParam());
  const std::string now = Script().run(expected);
  if (std::getenv("ZPOST_REWRITE_TRANSCRIPTS") != nullptr) {  // NOLINT(concurrency-mt-unsafe)
    std::ofstream(GetParam(), std::ios::binary) << now;
    return;
  }
  EXPECT_EQ(now, expected);
}

std::string name_of(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Core, TranscriptTest, testing::ValuesIn(transcripts()), name_of);

}  // namespace
}  // namespace zpost::core::test
