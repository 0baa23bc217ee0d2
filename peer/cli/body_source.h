// Where a body comes from: an argument, a file, standard input.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "zpost/protocol/result.h"

namespace zpost::cli {

/// What the command line said. At most one of `text` and `file` is set.
struct BodySource {
  std::optional<std::string> text;  // "-": standard input.
  std::string file;

  [[nodiscard]] bool is_argument() const { return text && *text != "-"; }

  [[nodiscard]] bool is_given() const { return text || !file.empty(); }
};

/// An open descriptor that is closed at the end, unless it is standard input's.
class InputFile {
 public:
  explicit InputFile(int descriptor) : descriptor_(descriptor) {}

  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Opens what is no argument. Error: file and reason.
[[nodiscard]] Result<InputFile> open_input(const BodySource& source);

/// Waits a moment for something to read, which may be the end or an error. False: not yet. Whoever
/// reads only then notices signals; a named pipe without a writer would keep it for ever.
[[nodiscard]] bool has_input(int descriptor);

/// Whether a command line's descriptor has something to say by itself: a pipe or a file, neither a
/// terminal nor one that was closed.
[[nodiscard]] bool is_fed(int descriptor);

/// The whole body. A body above `limit` bytes is not read to its end: Error kTooLarge with value
/// and limit. Gives up when `stopped` says so, which is asked many times a second: kCancelled.
[[nodiscard]] Result<std::string> read_body(const BodySource& source, std::size_t limit,
                                            const std::function<bool()>& stopped);

}  // namespace zpost::cli
