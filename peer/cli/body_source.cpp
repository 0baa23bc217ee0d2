#include "peer/cli/body_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kChunk = 64 << 10;
constexpr milliseconds kGlance{100};  // How long a signal may go unnoticed.

std::string name_of(const BodySource& source) {
  return source.file.empty() ? "standard input" : source.file;
}

Error failure(const BodySource& source) {
  return {Outcome::kNone, fmt::format("{}: {}", name_of(source), std::strerror(errno))};
}

Error too_large(const std::string& size, std::size_t limit) {
  return {Outcome::kTooLarge,
          fmt::format("the body has {} bytes, this broker takes envelopes of at most {}", size,
                      count_text(limit))};
}

/// The size of a regular file, for the message; else what is known.
std::string size_of(int descriptor, std::size_t read) {
  struct stat status = {};
  if (::fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode)) {
    return count_text(static_cast<std::uint64_t>(status.st_size));
  }
  return "more than " + count_text(read - 1);
}

}  // namespace

InputFile::~InputFile() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

InputFile::InputFile(InputFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

Result<InputFile> open_input(const BodySource& source) {
  if (source.file.empty()) return InputFile(STDIN_FILENO);
  InputFile file(::open(source.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.descriptor() < 0) return failure(source);
  return file;
}

bool has_input(int descriptor) {
  pollfd waited{descriptor, POLLIN, 0};
  return ::poll(&waited, 1, static_cast<int>(kGlance.count())) > 0;
}

bool is_fed(int descriptor) {
  if (::isatty(descriptor) == 1) return false;
  // What was closed is held by something that cannot be read (hold_standard_descriptors).
  const int mode = ::fcntl(descriptor, F_GETFL);
  return mode >= 0 && (mode & O_ACCMODE) != O_WRONLY;
}

Result<std::string> read_body(const BodySource& source, std::size_t limit,
                              const std::function<bool()>& stopped) {
  if (source.is_argument()) {
    if (source.text->size() > limit) return too_large(count_text(source.text->size()), limit);
    return *source.text;
  }
  const Result<InputFile> file = open_input(source);
  if (!file) return file.error();
  std::string body;
  std::array<char, kChunk> chunk{};
  while (!stopped()) {
    if (!has_input(file->descriptor())) continue;
    const ssize_t count = ::read(file->descriptor(), chunk.data(), chunk.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count < 0) return failure(source);
    if (count == 0) return body;
    body.append(chunk.data(), static_cast<std::size_t>(count));
    if (body.size() > limit) return too_large(size_of(file->descriptor(), limit + 1), limit);
  }
  return Error{Outcome::kCancelled,
               fmt::format("nothing was sent, {} was not at its end", name_of(source))};
}

}  // namespace zpost::cli
