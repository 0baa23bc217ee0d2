// A file that is to be sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "peer/cli/files/file_messages.h"
#include "peer/cli/files/part_file.h"

namespace zpost::cli {

/// Thread: one.
class SourceFile {
 public:
  /// Error: the path, and why it cannot be sent.
  [[nodiscard]] static Result<SourceFile> open(const std::string& path);

  [[nodiscard]] const std::string& path() const { return path_; }

  /// Its transfer is the same every time, as long as the file is.
  [[nodiscard]] const FileOffer& offer() const { return offer_; }

  /// Fills `buffer` from `offset`. REQUIRES: that is within the offered size. Error: path and why,
  /// also if the file got shorter.
  [[nodiscard]] Result<void> read(std::uint64_t offset, std::span<std::byte> buffer) const;

  /// Error: somebody wrote to it since it was opened.
  [[nodiscard]] Result<void> check_unchanged() const;

 private:
  SourceFile() = default;

  std::string path_;
  Descriptor file_;
  FileOffer offer_;
};

}  // namespace zpost::cli
