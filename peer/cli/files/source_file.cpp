#include "peer/cli/files/source_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "peer/cli/files/file_name.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

Error trouble(const std::string& path, const std::string& text) {
  return {Outcome::kNone, visible_line(path) + ": " + text};
}

std::uint64_t modified_ns(const struct stat& status) {
  return static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
}

/// What tells this file from others, and from itself after a change.
std::string transfer_of(const FileOffer& offer, const struct stat& status) {
  constexpr std::size_t kTransferBytes = 16;
  const std::string identity =
      fmt::format("zpost file {} {} {}:{} {}", offer.size, offer.modified_ns, status.st_dev,
                  status.st_ino, offer.name);
  return hexadecimal(Bytes(digest_of(as_bytes(identity))).first(kTransferBytes));
}

}  // namespace

Result<SourceFile> SourceFile::open(const std::string& path) {
  SourceFile file;
  file.path_ = path;
  file.file_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!file.file_.is_open() || ::fstat(file.file_.number(), &status) != 0) {
    return trouble(path, std::strerror(errno));
  }
  if (S_ISDIR(status.st_mode)) {
    return trouble(path, "this is a directory; pack it first, with tar for example");
  }
  if (!S_ISREG(status.st_mode)) {
    return trouble(path, "only regular files are sent; for a pipe or device: send TO - < FILE");
  }
  file.offer_.name = base_name(path);
  if (!is_utf8(file.offer_.name)) return trouble(path, "the name is no UTF-8");
  file.offer_.size = static_cast<std::uint64_t>(status.st_size);
  file.offer_.modified_ns = modified_ns(status);
  file.offer_.transfer = transfer_of(file.offer_, status);
  return file;
}

Result<void> SourceFile::read(std::uint64_t offset, std::span<std::byte> buffer) const {
  while (!buffer.empty()) {
    const ssize_t count =
        ::pread(file_.number(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return trouble(path_, std::strerror(errno));
    if (count == 0) {
      return trouble(path_, fmt::format("it got shorter while it was sent: {} instead of {}",
                                        size_text(offset), size_text(offer_.size)));
    }
    offset += static_cast<std::uint64_t>(count);
    buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> SourceFile::check_unchanged() const {
  struct stat status = {};
  if (::fstat(file_.number(), &status) != 0) return trouble(path_, std::strerror(errno));
  if (static_cast<std::uint64_t>(status.st_size) == offer_.size &&
      modified_ns(status) == offer_.modified_ns) {
    return {};
  }
  return trouble(path_, "it changed while it was sent; send it again");
}

}  // namespace zpost::cli
