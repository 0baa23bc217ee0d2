// A file that is written once, from front to back, perhaps compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost::capture {

enum class Compression : std::uint8_t { kNone, kGzip, kZstd };

/// By the file's ending: `.gz`, `.zst`, or none.
[[nodiscard]] Compression compression_of(std::string_view path);

/// Compresses bytes into bytes.
class Compressor {
 public:
  Compressor() = default;
  virtual ~Compressor() = default;
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// How much of what was taken must be readable from what was put out.
  enum class Mode : std::uint8_t { kGoOn, kFlush, kEnd };

  /// Appends to `out`. Throws std::bad_alloc.
  virtual void compress(Bytes bytes, Mode mode, ByteBuffer& out) = 0;
};

/// Thread: one. Every error names the file.
class FileSink {
 public:
  FileSink() = default;
  ~FileSink();
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;

  /// Replaces a file of that name. `-`: standard output.
  [[nodiscard]] Result<void> open(const std::string& path, Compression compression);

  [[nodiscard]] Result<void> write(Bytes bytes);

  /// What was written is the kernel's, and can be read, afterwards: a crash of this program loses
  /// none of it.
  [[nodiscard]] Result<void> flush();

  /// Ends the file, if one is open.
  [[nodiscard]] Result<void> close();

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  /// What the file holds so far, in bytes as they are stored.
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] Result<void> put(Bytes bytes);
  [[nodiscard]] Result<void> compress(Bytes bytes, Compressor::Mode mode);

  std::string path_;
  int fd_ = -1;
  std::uint64_t bytes_ = 0;
  std::unique_ptr<Compressor> compressor_;
  ByteBuffer packed_;
};

}  // namespace zpost::capture
