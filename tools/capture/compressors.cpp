#include "tools/capture/compressors.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <vector>

namespace zpost::capture {
namespace {

constexpr std::size_t kStep = 64 << 10;
// A capture must keep up with a broker: both at their fastest that still compresses well.
constexpr int kLevel = 1;
constexpr int kGzipWindow = 15 + 16;  // 16: gzip's header and trailer.

const Bytef* as_zlib(Bytes bytes) {
  return reinterpret_cast<const Bytef*>(bytes.data());
}

class GzipCompressor : public Compressor {
 public:
  GzipCompressor() {
    constexpr int kMemory = 8;
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }

  ~GzipCompressor() override { deflateEnd(&stream_); }

  void compress(Bytes bytes, Mode mode, ByteBuffer& out) override {
    const int flush = mode == Mode::kEnd     ? Z_FINISH
                      : mode == Mode::kFlush ? Z_SYNC_FLUSH
                                             : Z_NO_FLUSH;
    stream_.next_in = const_cast<Bytef*>(as_zlib(bytes));  // NOLINT: zlib does not write there.
    stream_.avail_in = static_cast<uInt>(bytes.size());
    do {
      const std::size_t there = out.size();
      out.resize(there + kStep);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + there);
      stream_.avail_out = kStep;
      deflate(&stream_, flush);
      out.resize(there + kStep - stream_.avail_out);
    } while (stream_.avail_out == 0);
  }

 private:
  z_stream stream_ = {};
};

class ZstdCompressor : public Compressor {
 public:
  ZstdCompressor() : context_(ZSTD_createCCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
  }

  ~ZstdCompressor() override { ZSTD_freeCCtx(context_); }

  void compress(Bytes bytes, Mode mode, ByteBuffer& out) override {
    const ZSTD_EndDirective directive = mode == Mode::kEnd     ? ZSTD_e_end
                                        : mode == Mode::kFlush ? ZSTD_e_flush
                                                               : ZSTD_e_continue;
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    bool done = false;
    while (!done) {
      const std::size_t there = out.size();
      out.resize(there + kStep);
      ZSTD_outBuffer room{out.data() + there, kStep, 0};
      const std::size_t left = ZSTD_compressStream2(context_, &room, &in, directive);
      out.resize(there + room.pos);
      if (ZSTD_isError(left) != 0) throw std::bad_alloc();  // Nothing else can go wrong here.
      done = directive == ZSTD_e_continue ? in.pos == in.size : left == 0;
    }
  }

 private:
  ZSTD_CCtx* context_;
};

/// What was read to recognise the format, and the rest.
class PeekedSource : public ByteSource {
 public:
  explicit PeekedSource(ByteSource& rest) : rest_(rest) {
    while (size_ < first_.size()) {
      const std::size_t got = rest_.read(std::span(first_).subspan(size_));
      if (got == 0) break;
      size_ += got;
    }
  }

  [[nodiscard]] bool begins_with(std::initializer_list<std::uint8_t> magic) const {
    return size_ >= magic.size() &&
           std::equal(magic.begin(), magic.end(), first_.begin(),
                      [](std::uint8_t a, std::byte b) { return std::byte{a} == b; });
  }

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override {
    if (at_ == size_) return rest_.read(room);
    const std::size_t taken = std::min(room.size(), size_ - at_);
    std::copy_n(first_.data() + at_, taken, room.begin());
    at_ += taken;
    return taken;
  }

  [[nodiscard]] std::string trouble() const override { return rest_.trouble(); }

 private:
  ByteSource& rest_;
  std::array<std::byte, 4> first_ = {};
  std::size_t size_ = 0;
  std::size_t at_ = 0;
};

/// What gzip and zstd have in common: a buffer of packed bytes.
class UnpackingSource : public ByteSource {
 public:
  explicit UnpackingSource(std::unique_ptr<ByteSource> packed) : packed_(std::move(packed)) {
    buffer_.resize(kStep);
  }

  [[nodiscard]] std::string trouble() const override {
    return over_ ? "the compressed bytes are damaged" : packed_->trouble();
  }

 protected:
  bool over_ = false;  // There is nothing more that could be unpacked.

  [[nodiscard]] Bytes waiting() const { return Bytes(buffer_).subspan(begin_, size_ - begin_); }

  void pass(std::size_t bytes) { begin_ += bytes; }

  /// False: nothing waits and nothing comes.
  [[nodiscard]] bool fill() {
    if (begin_ < size_) return true;
    begin_ = 0;
    size_ = packed_->read(buffer_);
    return size_ > 0;
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  ByteBuffer buffer_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

class GzipSource : public UnpackingSource {
 public:
  explicit GzipSource(std::unique_ptr<ByteSource> packed) : UnpackingSource(std::move(packed)) {
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
  }

  ~GzipSource() override { inflateEnd(&stream_); }

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override {
    while (!over_ && fill()) {
      const Bytes in = waiting();
      stream_.next_in = const_cast<Bytef*>(as_zlib(in));  // NOLINT: zlib does not write there.
      stream_.avail_in = static_cast<uInt>(in.size());
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(room.size(), 1U << 30));
      const uInt most = stream_.avail_out;
      const int result = inflate(&stream_, Z_NO_FLUSH);
      pass(in.size() - stream_.avail_in);
      // Files may be joined end to end.
      if (result == Z_STREAM_END) inflateReset(&stream_);
      over_ = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR;
      if (stream_.avail_out < most) return most - stream_.avail_out;
    }
    return 0;
  }

 private:
  z_stream stream_ = {};
};

class ZstdSource : public UnpackingSource {
 public:
  explicit ZstdSource(std::unique_ptr<ByteSource> packed)
      : UnpackingSource(std::move(packed)), context_(ZSTD_createDCtx()) {
    if (context_ == nullptr) throw std::bad_alloc();
  }

  ~ZstdSource() override { ZSTD_freeDCtx(context_); }

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override {
    // It may hold more than it could put out last time, with nothing new to take.
    while (!over_ && (pending_ || fill())) {
      const Bytes packed = waiting();
      ZSTD_inBuffer in{packed.data(), packed.size(), 0};
      ZSTD_outBuffer out{room.data(), room.size(), 0};
      const std::size_t result = ZSTD_decompressStream(context_, &out, &in);
      pass(in.pos);
      over_ = ZSTD_isError(result) != 0;
      pending_ = out.pos == room.size();
      if (out.pos > 0) return out.pos;
    }
    return 0;
  }

 private:
  ZSTD_DCtx* context_;
  bool pending_ = false;
};

}  // namespace

std::unique_ptr<Compressor> make_compressor(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return nullptr;
    case Compression::kGzip:
      return std::make_unique<GzipCompressor>();
    case Compression::kZstd:
      return std::make_unique<ZstdCompressor>();
  }
  return nullptr;
}

std::unique_ptr<ByteSource> make_unpacking_source(ByteSource& packed) {
  auto peeked = std::make_unique<PeekedSource>(packed);
  if (peeked->begins_with({0x1f, 0x8b})) return std::make_unique<GzipSource>(std::move(peeked));
  if (peeked->begins_with({0x28, 0xb5, 0x2f, 0xfd})) {
    return std::make_unique<ZstdSource>(std::move(peeked));
  }
  return peeked;
}

}  // namespace zpost::capture
