#include "protocol/filter/shown_envelope.h"

#include <algorithm>
#include <optional>

namespace zpost {
namespace {

void put_meta(const EnvelopeView& view, ShownEnvelope& envelope) {
  if (!view.has_meta()) return;
  const Result<Meta> meta = read_meta(view);
  if (!meta) return;
  envelope.content_type = meta->content_type;
  envelope.trace = meta->trace;
  envelope.in_reply_to = meta->in_reply_to.value_or(0);
  envelope.rejected = meta->rejected;
  envelope.more = meta->more;
}

ShownEnvelope whole_envelope(const EnvelopeView& view) {
  ShownEnvelope envelope{.kind_number = view.kind_number,
                         .id = view.id,
                         .body_is_text = view.body_is_text,
                         .body = view.body,
                         .size = view.bytes.size()};
  put_meta(view, envelope);
  return envelope;
}

struct BodyTag {
  bool is_text = false;
  std::size_t bytes = 0;  // Of the tag itself.
  std::uint64_t length = 0;
};

/// The tag of a str or bin whose content may be cut.
std::optional<BodyTag> read_body_tag(Bytes bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto tag = std::to_integer<std::uint8_t>(bytes[0]);
  if ((tag & 0xe0) == 0xa0) return BodyTag{true, 1, tag & 0x1fU};
  const bool is_bin = tag >= 0xc4 && tag <= 0xc6;
  if (!is_bin && (tag < 0xd9 || tag > 0xdb)) return std::nullopt;
  const std::size_t width = std::size_t{1} << (is_bin ? tag - 0xc4 : tag - 0xd9);
  if (bytes.size() < 1 + width) return std::nullopt;
  std::uint64_t length = 0;
  for (std::size_t i = 1; i <= width; ++i) {
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return BodyTag{!is_bin, 1 + width, length};
}

std::optional<ShownEnvelope> cut_envelope(Bytes bytes) {
  constexpr std::size_t kMostElements = 6 + kMaxExtraElements;
  MsgpackReader reader(bytes);
  EnvelopeView view;
  std::size_t elements = 0;
  std::uint64_t kind = 0;
  if (!reader.read_array(elements, kMostElements) || elements < 6) return std::nullopt;
  if (!reader.read_uint(kind) || kind > 127) return std::nullopt;
  if (!reader.read_str(view.to) || !reader.read_str(view.from)) return std::nullopt;
  if (!reader.read_uint(view.id)) return std::nullopt;
  const std::size_t meta_begin = reader.position();
  if (!reader.skip()) return std::nullopt;
  view.meta = bytes.subspan(meta_begin, reader.position() - meta_begin);
  const Bytes rest = bytes.subspan(reader.position());
  const std::optional<BodyTag> tag = read_body_tag(rest);
  if (!tag) return std::nullopt;
  const Bytes body = rest.subspan(tag->bytes);
  ShownEnvelope envelope{.kind_number = static_cast<std::uint8_t>(kind),
                         .id = view.id,
                         .body_is_text = tag->is_text,
                         .body = body.first(std::min<std::uint64_t>(body.size(), tag->length)),
                         .size = reader.position() + tag->bytes + tag->length,
                         .cut = body.size() < tag->length};
  put_meta(view, envelope);
  return envelope;
}

}  // namespace

bool ShownReader::next(ShownEnvelope& envelope) {
  begin_ = end_;
  EnvelopeView view;
  if (over_) return false;
  if (reader_.next(view)) {
    envelope = whole_envelope(view);
    end_ += view.bytes.size();
    return true;
  }
  over_ = true;
  if (!reader_.failed()) return false;
  const std::optional<ShownEnvelope> last = cut_envelope(shown_.subspan(begin_));
  if (!last) return false;
  envelope = *last;
  end_ = shown_.size();
  return true;
}

}  // namespace zpost
