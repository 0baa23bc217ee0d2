#include "tools/capture/file_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace zpost::capture {

FileSource::~FileSource() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> FileSource::open(const std::string& path) {
  path_ = path == "-" ? "standard input" : path;
  fd_ = path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                    : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd_ >= 0) return {};
  return Error{Outcome::kMalformed, fmt::format("cannot open {}: {}", path_, std::strerror(errno))};
}

std::size_t FileSource::read(std::span<std::byte> room) {
  while (true) {
    const ssize_t got = ::read(fd_, room.data(), room.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    trouble_ = fmt::format("cannot read on: {}", std::strerror(errno));
    return 0;
  }
}

}  // namespace zpost::capture
