// The envelope: its header read in place, its meta, and how one is written. SPEC.md, section 3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/limits.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"
#include "zpost/protocol/result.h"

namespace zpost {

/// One envelope of a frame, read in place. Every view points into the frame and lives as long.
struct EnvelopeView {
  std::uint8_t kind_number = 0;  // May be none of Kind's values.
  bool body_is_text = false;     // The body was a str, not a bin. Its UTF-8 is not checked.
  bool repeats_route = false;    // Kind, to and from are the same bytes as in the envelope before.
  std::string_view to = {};
  std::string_view from = {};
  std::uint64_t id = 0;
  Bytes meta = {};   // The msgpack map, structurally checked, keys unique and uint; see read_meta.
  Bytes body = {};   // The content, without its msgpack tag.
  Bytes bytes = {};  // The whole envelope as it stands in the frame.

  [[nodiscard]] Kind kind() const { return static_cast<Kind>(kind_number); }

  [[nodiscard]] bool has_meta() const { return meta.size() > 1; }
};

/// Walks the envelopes of a frame. Bounded work for any bytes; nothing is allocated.
class FrameReader {
 public:
  explicit FrameReader(Bytes frame) : reader_(frame) {}

  /// Reads the next envelope into `view`. False at the end of the frame and at bytes that are no
  /// envelope; failed() tells which. After a failure the rest of the frame is void.
  [[nodiscard]] bool next(EnvelopeView& view);

  [[nodiscard]] bool failed() const { return failed_; }

  /// REQUIRES: failed(). Where the bad envelope or value stands in the frame, in bytes.
  [[nodiscard]] std::size_t error_offset() const { return reader_.position(); }

  /// REQUIRES: failed(). For people: field, what is wrong, and the offset.
  [[nodiscard]] std::string error_text() const;

 private:
  // The shape nearly every envelope has: short names, no meta, a bin body, nothing extra. False,
  // with nothing done, for all others, for errors and for the last few bytes of a frame.
  [[nodiscard]] bool next_common(EnvelopeView& view);
  // The same, for one whose kind and names repeat those of the envelope before.
  [[nodiscard]] bool next_repeated(EnvelopeView& view);
  [[nodiscard]] bool finish_common(EnvelopeView& view, const std::byte* at);
  void note_route(const std::byte* at, std::size_t to_bytes, std::size_t from_bytes);
  [[nodiscard]] bool next_any(EnvelopeView& view);
  [[nodiscard]] bool read_fields(EnvelopeView& view, std::size_t& elements);
  [[nodiscard]] bool read_kind(EnvelopeView& view);
  [[nodiscard]] bool read_meta_map(EnvelopeView& view, std::size_t& budget);

  [[nodiscard]] bool in(const char* field, bool read) {
    if (!read) field_ = field;
    return read;
  }

  MsgpackReader reader_;
  const char* field_ = "envelope";
  bool failed_ = false;
  // The route of the latest common envelope: array tag, kind, to, from. Null: none to repeat.
  const std::byte* route_ = nullptr;
  std::size_t route_bytes_ = 0;
  std::size_t to_bytes_ = 0;
  std::size_t from_bytes_ = 0;
};

/// The meta keys this version knows. SPEC.md, section 3, "Meta keys". Views as in EnvelopeView.
struct Meta {
  std::uint64_t wanted = 0;
  bool durable = false;
  std::uint64_t deadline_ns = 0;  // By the broker's clock; 0: none.
  std::optional<std::uint64_t> in_reply_to = {};
  std::string_view content_type = {};
  std::uint64_t sent_ns = 0;
  std::string_view trace = {};
  std::uint64_t again = 0;
  bool retained = false;
  bool rejected = false;
  bool idempotent = false;
  bool retain = false;
  bool more = false;
  bool will = false;

  [[nodiscard]] bool empty() const;
};

/// Reads the meta of an envelope. Error: kMalformed, naming the key.
[[nodiscard]] Result<Meta> read_meta(const EnvelopeView& view);

/// Checks what the broker does not: UTF-8 of a str body and of meta texts, names. Error: kMalformed
/// or kBadName, naming the field.
[[nodiscard]] Result<void> check_envelope(const EnvelopeView& view);

/// The bits of Meta::wanted. SPEC.md, section 3, "Meta keys".
inline constexpr std::uint64_t kWantQueued = 1;
inline constexpr std::uint64_t kWantCount = 2;
inline constexpr std::uint64_t kWantSubscriber = 4;

/// What an envelope is written from. Views are only read during the call they are given to.
struct EnvelopeFields {
  Kind kind = Kind::kSend;
  std::string_view to = {};
  std::string_view from = {};
  std::uint64_t id = 0;
  Meta meta = {};
  Bytes body = {};
  bool body_is_text = false;
};

/// An upper bound of the encoded length of `fields`, in bytes.
[[nodiscard]] std::size_t encoded_bound(const EnvelopeFields& fields);

/// Writes `fields` at `out`, which must have room for encoded_bound(fields). Returns the end.
std::byte* write_envelope(std::byte* out, const EnvelopeFields& fields);

/// Appends the encoded envelope to `buffer`.
void append_envelope(ByteBuffer& buffer, const EnvelopeFields& fields);

/// The entries of an envelope's meta.
[[nodiscard]] std::size_t meta_entries(const EnvelopeView& view);

/// Appends a copy of `view` whose meta says `again: attempt` in addition, or `retained: true` if
/// `attempt` is 0, in place of what it said of that; everything else stays as it is.
/// REQUIRES: meta_entries(view) < kMaxMetaEntries.
void append_marked(ByteBuffer& buffer, const EnvelopeView& view, std::uint64_t attempt);

/// The part of an envelope's encoding that stays the same for one sender, recipient and kind with
/// empty meta, so that many can be written with two copies each.
class EnvelopePrefix {
 public:
  EnvelopePrefix() = default;
  /// REQUIRES: `to` is at most kMaxTopicBytes long, `from` at most kMaxNameBytes; ends the program
  /// otherwise.
  EnvelopePrefix(Kind kind, std::string_view to, std::string_view from);

  /// The exact encoded length for a bin body of `body_bytes` and `id`.
  [[nodiscard]] std::size_t encoded_size(std::uint64_t id, std::size_t body_bytes) const {
    return size_ + uint_bytes(id) + 1 + bin_tag_bytes(body_bytes) + body_bytes;
  }

  /// Writes the envelope at `out`, which must have room for encoded_size. Returns the end.
  std::byte* write(std::byte* out, std::uint64_t id, Bytes body) const;

 private:
  std::size_t size_ = 0;
  std::byte bytes_[2 + (2 + kMaxTopicBytes) + (2 + 64)] = {};
};

}  // namespace zpost

#include "zpost/protocol/envelope_inline.h"  // IWYU pragma: export
