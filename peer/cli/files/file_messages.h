// What two programs say to each other while a file goes from one to the other (docs/files.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "peer/cli/files/checksum.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::cli {

inline constexpr std::string_view kOfferType = "application/x-zpost-file-offer";
inline constexpr std::string_view kChunkType = "application/x-zpost-file-chunk";
inline constexpr std::string_view kDoneType = "application/x-zpost-file-done";
inline constexpr std::string_view kStopType = "application/x-zpost-file-stop";
inline constexpr std::string_view kAnswerType = "application/x-zpost-file-answer";

/// Bytes of a chunk's body beyond those of the file: never more.
inline constexpr std::size_t kChunkOverhead = 128;

/// True for all of the above.
[[nodiscard]] bool is_file_type(std::string_view content_type);

/// Request: may I send this?
struct FileOffer {
  std::string transfer;  // 32 hex digits: the same for the same file, whoever asks.
  std::string name;
  std::uint64_t size = 0;
  std::uint64_t modified_ns = 0;  // Since 1970; 0: not said.
  bool anew = false;              // What the recipient has is not the beginning of this file.
};

/// Request: that was all.
struct FileDone {
  std::string transfer;
  std::uint64_t size = 0;
  Digest sha256{};
};

/// The reply to both. Of `offset`, `wait_ms` and `name` one says how it goes on.
struct FileAnswer {
  std::optional<std::uint64_t> offset = {};  // Send from here; that much is there.
  Digest sha256{};                           // With an offset: of the bytes before it.
  std::uint64_t wait_ms = 0;                 // Not ready: ask again after that.
  std::string name = {};                     // Saved under this name.
};

/// A piece of the file. Borrows its bytes.
struct FileChunk {
  std::string_view transfer;
  std::uint64_t offset = 0;
  Bytes bytes;
};

/// Whoever says this does not go on with it.
struct FileStop {
  std::string transfer;
  std::string text;      // Why, for people.
  bool again = false;    // Of a recipient that knows nothing of it (any more): offer it again.
  bool discard = false;  // Of a sender: what was sent is of no use.
};

[[nodiscard]] ByteBuffer encode(const FileOffer& offer);
[[nodiscard]] ByteBuffer encode(const FileDone& done);
[[nodiscard]] ByteBuffer encode(const FileAnswer& answer);
[[nodiscard]] ByteBuffer encode(const FileStop& stop);

/// Replaces `buffer` by a chunk's body up to the bytes, of which `count` follow.
void encode_chunk_head(ByteBuffer& buffer, std::string_view transfer, std::uint64_t offset,
                       std::size_t count);

// Nothing: it is not what the content type says. Unknown keys are skipped.
[[nodiscard]] std::optional<FileOffer> read_offer(Bytes body);
[[nodiscard]] std::optional<FileDone> read_done(Bytes body);
[[nodiscard]] std::optional<FileAnswer> read_answer(Bytes body);
[[nodiscard]] std::optional<FileChunk> read_chunk(Bytes body);
[[nodiscard]] std::optional<FileStop> read_stop(Bytes body);

}  // namespace zpost::cli
