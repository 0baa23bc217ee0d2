// A file that is read from front to back.
#pragma once

#include <string>

#include "tools/capture/byte_source.h"
#include "zpost/protocol/result.h"

namespace zpost::capture {

/// Thread: one.
class FileSource : public ByteSource {
 public:
  ~FileSource() override;

  /// `-`: standard input. Error: names the file.
  [[nodiscard]] Result<void> open(const std::string& path);

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override;

  [[nodiscard]] std::string trouble() const override { return trouble_; }

 private:
  std::string path_;
  std::string trouble_;
  int fd_ = -1;
};

}  // namespace zpost::capture
