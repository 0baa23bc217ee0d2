// Every decoder of the protocol on any bytes: as a frame, and as each control body.
//
// Beyond crashes: what is read lies within the input, what is written is read back the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/names.h"

namespace {

using namespace zpost;  // NOLINT(google-build-using-namespace): a program of one file.

void require(bool claim) {
  if (!claim) std::abort();
}

bool same(const EnvelopeView& a, const EnvelopeView& b) {
  return a.kind_number == b.kind_number && a.body_is_text == b.body_is_text && a.to == b.to &&
         a.from == b.from && a.id == b.id && as_text(a.body) == as_text(b.body);
}

bool same_route(const EnvelopeView& a, const EnvelopeView& b) {
  return a.kind_number == b.kind_number && a.to == b.to && a.from == b.from;
}

bool lies_within(Bytes part, Bytes whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_rewriting(const EnvelopeView& view, const Meta& meta) {
  ByteBuffer buffer;
  append_envelope(buffer, {.kind = view.kind(),
                           .to = view.to,
                           .from = view.from,
                           .id = view.id,
                           .meta = meta,
                           .body = view.body,
                           .body_is_text = view.body_is_text});
  FrameReader reader(buffer);
  EnvelopeView again;
  require(reader.next(again) && same(view, again) && again.bytes.size() == buffer.size());
}

/// The general path of the reader, taken for the last bytes of a frame, must agree with the fast
/// one.
void check_alone(const EnvelopeView& view) {
  FrameReader reader(view.bytes);
  EnvelopeView alone;
  require(reader.next(alone) && same(view, alone));
  require(!reader.next(alone) && !reader.failed());
}

void read_frame(Bytes frame) {
  FrameReader reader(frame);
  EnvelopeView view;
  EnvelopeView before;
  std::size_t covered = 0;
  while (reader.next(view)) {
    require(!view.repeats_route || (covered > 0 && same_route(view, before)));
    before = view;
    require(view.bytes.data() == frame.data() + covered);
    covered += view.bytes.size();
    require(lies_within(view.meta, view.bytes) && lies_within(view.body, view.bytes));
    require(lies_within(as_bytes(view.to), view.bytes));
    require(lies_within(as_bytes(view.from), view.bytes));
    check_alone(view);
    if (const auto meta = read_meta(view)) check_rewriting(view, *meta);
    if (const auto right = check_envelope(view); !right) require(!right.error().text.empty());
  }
  if (!reader.failed()) return require(covered == frame.size());
  require(reader.error_offset() >= covered && reader.error_offset() <= frame.size());
  require(!reader.error_text().empty());
}

template <typename T>
void read_body(Result<T> (*decode)(Bytes), Bytes body) {
  const Result<T> value = decode(body);
  if (!value) return require(!value.error().text.empty());
  const ByteBuffer encoded = encode(*value);
  const Result<T> again = decode(encoded);
  require(again.has_value() && *again == *value);
}

void read_bodies(Bytes body) {
  read_body(decode_hello, body);
  read_body(decode_welcome, body);
  read_body(decode_refusal, body);
  read_body(decode_goodbye, body);
  read_body(decode_ack, body);
  read_body(decode_receipt, body);
  read_body(decode_outcome, body);
  read_body(decode_presence, body);
  read_body(decode_watch, body);
  read_body(decode_subscribe, body);
  read_body(decode_offer, body);
  read_body(decode_gap, body);
  read_body(decode_doubt, body);
}

void read_names(std::string_view text) {
  const bool name = is_name(text);
  require(!name || (is_utf8(text) && is_name_pattern(text)));
  if (const auto part = name_of_identity(text)) require(is_name(*part));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  read_frame(bytes);
  read_bodies(bytes);
  read_names(as_text(bytes));
  return 0;
}
