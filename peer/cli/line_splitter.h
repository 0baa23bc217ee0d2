// Cuts a stream into lines. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zpost::cli {

/// Lines without their line feed. What is given in pieces of any size comes out the same.
class LineSplitter {
 public:
  /// Takes more of the stream and replaces `lines` by the lines it ends. The views live until the
  /// next call.
  void add(std::string_view bytes, std::vector<std::string_view>& lines);

  /// The stream is over: a last line without a line feed, if there is one.
  void finish(std::vector<std::string_view>& lines);

  /// Throws away the line that has no end yet, and what comes of it: the next one begins behind the
  /// next line feed.
  void skip_line();

  /// Bytes of the line that has no end yet.
  [[nodiscard]] std::size_t open_bytes() const { return buffer_.size() - used_; }

 private:
  std::string buffer_;
  std::size_t used_ = 0;   // Handed out by the latest call.
  bool skipping_ = false;  // In a line that is thrown away.
};

}  // namespace zpost::cli
