// Runs a fuzz target over files instead of random input, so that a corpus is an ordinary test.
//
// Usage: TARGET FILE|DIRECTORY...   Exits 2 when there is no input: an empty corpus tests nothing.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <span>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_below(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};

  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  return files;
}

bool run_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::cerr << "cannot read " << path << '\n';
    return false;
  }
  const std::vector<char> bytes(std::istreambuf_iterator<char>(file), {});
  // Named first: a crash inside must tell its input.
  std::cout << path.string() << ", " << bytes.size() << " bytes" << std::endl;

  // A buffer of exactly this size: the address sanitizer sees the first byte read past it.
  const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
  LLVMFuzzerTestOneInput(input.data(), input.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  std::size_t count = 0;
  for (const char* argument : arguments.subspan(1)) {
    for (const fs::path& path : files_below(argument)) {
      if (!run_file(path)) return 1;
      ++count;
    }
  }
  std::cout << count << " inputs passed\n";
  return count > 0 ? 0 : 2;
}
