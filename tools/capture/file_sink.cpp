#include "tools/capture/file_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "tools/capture/compressors.h"

namespace zpost::capture {
namespace {

Error failed(std::string_view what, const std::string& path) {
  return {Outcome::kFull,
          fmt::format("cannot {} {}: {}", what, path == "-" ? "standard output" : path,
                      std::strerror(errno))};
}

}  // namespace

Compression compression_of(std::string_view path) {
  if (path.ends_with(".gz")) return Compression::kGzip;
  return path.ends_with(".zst") ? Compression::kZstd : Compression::kNone;
}

FileSink::~FileSink() {
  (void)close();
}

Result<void> FileSink::open(const std::string& path, Compression compression) {
  constexpr mode_t kEverybodyReads = 0644;
  if (const auto closed = close(); !closed) return closed;
  path_ = path;
  bytes_ = 0;
  fd_ = path == "-"
            ? ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
            : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kEverybodyReads);
  if (fd_ < 0) return failed("open", path);
  compressor_ = make_compressor(compression);
  return {};
}

Result<void> FileSink::write(Bytes bytes) {
  return compressor_ ? compress(bytes, Compressor::Mode::kGoOn) : put(bytes);
}

Result<void> FileSink::flush() {
  return compressor_ && is_open() ? compress({}, Compressor::Mode::kFlush) : Result<void>();
}

Result<void> FileSink::close() {
  if (fd_ < 0) return {};
  Result<void> ended;
  if (compressor_) ended = compress({}, Compressor::Mode::kEnd);
  compressor_.reset();
  const int closed = ::close(std::exchange(fd_, -1));
  // Some file systems tell only now that there was no room.
  if (ended && closed != 0 && errno != EINTR) return failed("write", path_);
  return ended;
}

Result<void> FileSink::compress(Bytes bytes, Compressor::Mode mode) {
  packed_.clear();
  compressor_->compress(bytes, mode, packed_);
  return put(packed_);
}

Result<void> FileSink::put(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed("write", path_);
    bytes_ += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace zpost::capture
