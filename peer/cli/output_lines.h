// The lines of a command's output, until each is a reply. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peer/cli/line_splitter.h"

namespace zpost::cli {

/// First in, first out. Bounded by whoever adds: while it is not empty, no output should be read.
class OutputLines {
 public:
  void add(std::string_view output) {
    std::vector<std::string_view> lines;
    splitter_.add(output, lines);
    waiting_.insert(waiting_.end(), lines.begin(), lines.end());
  }

  /// The output is over: a last line may lack its line feed.
  void finish() {
    std::vector<std::string_view> lines;
    splitter_.finish(lines);
    waiting_.insert(waiting_.end(), lines.begin(), lines.end());
  }

  [[nodiscard]] bool empty() const { return waiting_.empty(); }

  /// The oldest, which is not here any more. There must be one.
  [[nodiscard]] std::string take() {
    std::string line = std::move(waiting_.front());
    waiting_.pop_front();
    return line;
  }

  /// Bytes of the line that has no end yet.
  [[nodiscard]] std::size_t open_bytes() const { return splitter_.open_bytes(); }

  /// Throws away the line that has no end yet.
  void skip_line() { splitter_.skip_line(); }

 private:
  LineSplitter splitter_;
  std::deque<std::string> waiting_;
};

}  // namespace zpost::cli
