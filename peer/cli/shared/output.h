// Standard output as data, standard error as messages.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace zpost::cli {

/// Standard output, buffered here so that it is known what arrived there. Thread: one.
class Output {
 public:
  void put(std::string_view text);

  /// Hands over what was put. False, now and for ever: nobody reads any more, or it failed; the
  /// latter was said on standard error.
  bool flush();

  /// Whether flush failed for another reason than a reader that left.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string waiting_;
  bool open_ = true;
  bool failed_ = false;
};

/// One message on standard error, with the program's name in front. Any thread.
void complain(std::string_view text);

/// The same without a name: progress.
void note(std::string_view text);

/// Shows `text` as the last line on standard error, a terminal, until something else is written
/// there or to standard output; empty: removes it. Without a line feed, and narrower than the
/// terminal. Any thread.
void show_last_line(std::string_view text);

/// How wide the terminal on standard error is; 0: it is none, or cannot erase a line.
[[nodiscard]] std::size_t terminal_columns();

/// Makes writing to a reader that left an error instead of the end. Call once, first.
void ignore_broken_pipes();

}  // namespace zpost::cli
