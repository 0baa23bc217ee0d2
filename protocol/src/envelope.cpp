#include "zpost/protocol/envelope.h"

#include <array>
#include <cassert>
#include <exception>

#include "zpost/protocol/names.h"

namespace zpost {
namespace {

constexpr std::size_t kFields = 6;

// SPEC.md, section 3, "Meta keys".
enum MetaKey : std::uint64_t {
  kWanted = 1,
  kDurable = 2,
  kDeadline = 3,
  kInReplyTo = 4,
  kContentType = 5,
  kSent = 6,
  kTrace = 7,
  kAgain = 8,
  kRetained = 9,
  kRejected = 10,
  kIdempotent = 11,
  kRetain = 12,
  kMore = 13,
  kWill = 14,
};

constexpr std::array<std::string_view, 15> kMetaNames = {
    "0",     "wanted",   "durable",  "deadline",   "in_reply_to", "content_type", "sent", "trace",
    "again", "retained", "rejected", "idempotent", "retain",      "more",         "will"};

/// The keys seen so far of one map: a bit for each small one, a list of the others.
class UintKeySet {
 public:
  UintKeySet() {}  // NOLINT: others_ stays unset, since most envelopes need none of it.

  /// False if `key` was there. REQUIRES: called at most kMaxMetaEntries times.
  bool insert(std::uint64_t key) {
    if (key < 64) {
      const std::uint64_t bit = std::uint64_t{1} << key;
      if ((small_ & bit) != 0) return false;
      small_ |= bit;
      return true;
    }
    for (std::size_t i = 0; i < others_count_; ++i) {
      if (others_[i] == key) return false;
    }
    others_[others_count_++] = key;
    return true;
  }

 private:
  std::uint64_t small_ = 0;
  std::size_t others_count_ = 0;
  std::uint64_t others_[kMaxMetaEntries];
};

bool read_optional(MsgpackReader& reader, std::optional<std::uint64_t>& value) {
  return reader.read_uint(value.emplace());
}

bool read_short(MsgpackReader& reader, std::string_view& value, std::size_t limit) {
  const std::size_t start = reader.position();
  if (!reader.read_str(value)) return false;
  return value.size() <= limit || reader.fail_at(start, ReadError::kTooLong);
}

bool read_meta_value(MsgpackReader& reader, std::uint64_t key, Meta& meta) {
  switch (key) {
    case kWanted:
      return reader.read_uint(meta.wanted);
    case kDurable:
      return reader.read_bool(meta.durable);
    case kDeadline:
      return reader.read_uint(meta.deadline_ns);
    case kInReplyTo:
      return read_optional(reader, meta.in_reply_to);
    case kContentType:
      return read_short(reader, meta.content_type, kMaxContentTypeBytes);
    case kSent:
      return reader.read_uint(meta.sent_ns);
    case kTrace:
      return read_short(reader, meta.trace, kMaxTraceBytes);
    case kAgain:
      return reader.read_uint(meta.again);
    case kRetained:
      return reader.read_bool(meta.retained);
    case kRejected:
      return reader.read_bool(meta.rejected);
    case kIdempotent:
      return reader.read_bool(meta.idempotent);
    case kRetain:
      return reader.read_bool(meta.retain);
    case kMore:
      return reader.read_bool(meta.more);
    case kWill:
      return reader.read_bool(meta.will);
    default:
      return reader.skip();
  }
}

Error meta_error(std::uint64_t key, ReadError error) {
  const std::string name =
      key < kMetaNames.size() ? std::string(kMetaNames[key]) : std::to_string(key);
  return {Outcome::kMalformed, "meta." + name + ": " + std::string(read_error_name(error))};
}

std::size_t meta_count(const Meta& meta) {
  return std::size_t{meta.wanted != 0} + std::size_t{meta.durable} +
         std::size_t{meta.deadline_ns != 0} + std::size_t{meta.in_reply_to.has_value()} +
         std::size_t{!meta.content_type.empty()} + std::size_t{meta.sent_ns != 0} +
         std::size_t{!meta.trace.empty()} + std::size_t{meta.again != 0} +
         std::size_t{meta.retained} + std::size_t{meta.rejected} + std::size_t{meta.idempotent} +
         std::size_t{meta.retain} + std::size_t{meta.more} + std::size_t{meta.will};
}

/// An upper bound of the encoded length of `meta`.
std::size_t meta_bound(const Meta& meta) {
  return 1 + meta_count(meta) * (1 + kMaxUintBytes) + meta.content_type.size() + meta.trace.size();
}

std::byte* put_meta(std::byte* out, const Meta& meta) {
  const auto put_number = [&out](MetaKey key, std::uint64_t value) {
    out = put_uint(put_uint(out, key), value);
  };
  const auto put_text = [&out](MetaKey key, std::string_view text) {
    if (!text.empty()) out = put_str(put_uint(out, key), text);
  };
  const auto put_flag = [&out](MetaKey key, bool value) {
    if (value) out = put_bool(put_uint(out, key), value);
  };
  out = put_map_tag(out, meta_count(meta));
  if (meta.wanted != 0) put_number(kWanted, meta.wanted);
  put_flag(kDurable, meta.durable);
  if (meta.deadline_ns != 0) put_number(kDeadline, meta.deadline_ns);
  if (meta.in_reply_to) put_number(kInReplyTo, *meta.in_reply_to);
  put_text(kContentType, meta.content_type);
  if (meta.sent_ns != 0) put_number(kSent, meta.sent_ns);
  put_text(kTrace, meta.trace);
  if (meta.again != 0) put_number(kAgain, meta.again);
  put_flag(kRetained, meta.retained);
  put_flag(kRejected, meta.rejected);
  put_flag(kIdempotent, meta.idempotent);
  put_flag(kRetain, meta.retain);
  put_flag(kMore, meta.more);
  put_flag(kWill, meta.will);
  return out;
}

Result<void> check_text(const char* field, std::string_view text) {
  if (is_utf8(text)) return {};
  return Error{Outcome::kMalformed, std::string(field) + ": not UTF-8"};
}

Result<void> check_name(const char* field, std::string_view name) {
  if (name.empty() || is_name(name)) return {};
  return Error{Outcome::kBadName, std::string(field) + ": not a name"};
}

Result<void> check_to(const EnvelopeView& view) {
  if (view.kind() != Kind::kPublish) return check_name("to", view.to);
  if (is_topic(view.to)) return {};
  return Error{Outcome::kBadName, "to: not a topic"};
}

}  // namespace

bool FrameReader::next_any(EnvelopeView& view) {
  if (reader_.at_end()) return false;
  const std::byte* const begin = reader_.cursor();
  const std::size_t start = reader_.position();
  std::size_t elements = 0;
  if (!read_fields(view, elements)) {
    failed_ = true;
    reader_.stop();  // Otherwise next_common would go on inside the bad envelope.
    return false;
  }
  view.bytes = {begin, reader_.position() - start};
  view.repeats_route = false;
  return true;
}

bool FrameReader::read_fields(EnvelopeView& view, std::size_t& elements) {
  const std::size_t start = reader_.position();
  std::size_t budget = kMaxNestedObjects;
  if (!in("envelope", reader_.read_array(elements, kFields + kMaxExtraElements))) return false;
  if (elements < kFields) return in("envelope", reader_.fail_at(start, ReadError::kTooFew));
  if (!in("kind", read_kind(view))) return false;
  if (!in("to", reader_.read_str(view.to))) return false;
  if (!in("from", reader_.read_str(view.from))) return false;
  if (!in("id", reader_.read_uint(view.id))) return false;
  if (!in("meta", read_meta_map(view, budget))) return false;
  if (!in("body", reader_.read_body(view.body, view.body_is_text))) return false;
  for (std::size_t i = kFields; i < elements; ++i) {
    if (!in("extra", reader_.skip(budget))) return false;
  }
  return true;
}

bool FrameReader::read_kind(EnvelopeView& view) {
  const std::size_t start = reader_.position();
  std::uint64_t kind = 0;
  if (!reader_.read_uint(kind)) return false;
  if (kind >= 0x80) return reader_.fail_at(start, ReadError::kOutOfRange);
  view.kind_number = static_cast<std::uint8_t>(kind);
  return true;
}

bool FrameReader::read_meta_map(EnvelopeView& view, std::size_t& budget) {
  const std::byte* const begin = reader_.cursor();
  const std::size_t start = reader_.position();
  std::size_t count = 0;
  if (!reader_.read_map(count, kMaxMetaEntries)) return false;
  UintKeySet keys;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t key_start = reader_.position();
    std::uint64_t key = 0;
    if (!reader_.read_uint(key)) return false;
    if (!keys.insert(key)) return reader_.fail_at(key_start, ReadError::kDuplicateKey);
    if (!reader_.skip(budget)) return false;
  }
  view.meta = {begin, reader_.position() - start};
  return true;
}

std::string FrameReader::error_text() const {
  return std::string(field_) + ": " + std::string(read_error_name(reader_.error())) + " at byte " +
         std::to_string(error_offset());
}

bool Meta::empty() const {
  return meta_count(*this) == 0;
}

Result<Meta> read_meta(const EnvelopeView& view) {
  Meta meta;
  if (!view.has_meta()) return meta;
  MsgpackReader reader(view.meta);
  std::size_t count = 0;
  if (!reader.read_map(count, kMaxMetaEntries)) return meta_error(0, reader.error());
  for (std::size_t i = 0; i < count; ++i) {
    std::uint64_t key = 0;
    if (!reader.read_uint(key) || !read_meta_value(reader, key, meta)) {
      return meta_error(key, reader.error());
    }
  }
  return meta;
}

Result<void> check_envelope(const EnvelopeView& view) {
  if (auto to = check_to(view); !to) return to;
  if (auto from = check_name("from", view.from); !from) return from;
  const Result<Meta> meta = read_meta(view);
  if (!meta) return meta.error();
  if (auto type = check_text("meta.content_type", meta->content_type); !type) return type;
  if (auto trace = check_text("meta.trace", meta->trace); !trace) return trace;
  return view.body_is_text ? check_text("body", as_text(view.body)) : Result<void>();
}

std::size_t encoded_bound(const EnvelopeFields& fields) {
  return 1 + 2 + kMaxLengthBytes + fields.to.size() + kMaxLengthBytes + fields.from.size() +
         kMaxUintBytes + meta_bound(fields.meta) + kMaxLengthBytes + fields.body.size();
}

std::byte* write_envelope(std::byte* out, const EnvelopeFields& fields) {
  out = put_array_tag(out, kFields);
  out = put_uint(out, static_cast<std::uint8_t>(fields.kind));
  out = put_str(out, fields.to);
  out = put_str(out, fields.from);
  out = put_uint(out, fields.id);
  out = put_meta(out, fields.meta);
  out = fields.body_is_text ? put_str_tag(out, fields.body.size())
                            : put_bin_tag(out, fields.body.size());
  return put_bytes(out, fields.body);
}

void append_envelope(ByteBuffer& buffer, const EnvelopeFields& fields) {
  const std::size_t start = buffer.size();
  buffer.resize(start + encoded_bound(fields));
  const std::byte* const end = write_envelope(buffer.data() + start, fields);
  buffer.resize(static_cast<std::size_t>(end - buffer.data()));
}

std::size_t meta_entries(const EnvelopeView& view) {
  MsgpackReader reader(view.meta);
  std::size_t count = 0;
  return reader.read_map(count, kMaxMetaEntries) ? count : 0;
}

void append_marked(ByteBuffer& buffer, const EnvelopeView& view, std::uint64_t attempt) {
  const MetaKey mark = attempt == 0 ? kRetained : kAgain;
  ByteBuffer entries;
  std::size_t kept = 0;
  MsgpackReader reader(view.meta);
  std::size_t count = 0;
  if (!reader.read_map(count, kMaxMetaEntries)) count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* const begin = reader.cursor();
    std::uint64_t key = 0;
    if (!reader.read_uint(key) || !reader.skip()) break;
    if (key == mark) continue;
    entries.insert(entries.end(), begin, reader.cursor());
    ++kept;
  }
  std::array<std::byte, 2 * kMaxUintBytes> header = {};
  const auto append = [&buffer](const std::byte* begin, const std::byte* end) {
    buffer.insert(buffer.end(), begin, end);
  };
  append(view.bytes.data(), view.meta.data());
  append(header.data(), put_map_tag(header.data(), kept + 1));
  append(entries.data(), entries.data() + entries.size());
  std::byte* const value = put_uint(header.data(), mark);
  append(header.data(), attempt == 0 ? put_bool(value, true) : put_uint(value, attempt));
  append(view.meta.data() + view.meta.size(), view.bytes.data() + view.bytes.size());
}

EnvelopePrefix::EnvelopePrefix(Kind kind, std::string_view to, std::string_view from) {
  if (to.size() > kMaxTopicBytes || from.size() > kMaxNameBytes) std::terminate();
  std::byte* out = put_array_tag(bytes_, kFields);
  out = put_uint(out, static_cast<std::uint8_t>(kind));
  out = put_str(out, to);
  out = put_str(out, from);
  size_ = static_cast<std::size_t>(out - bytes_);
}

}  // namespace zpost
