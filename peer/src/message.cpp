#include "zpost/peer/message.h"

#include "peer/src/batch_builder.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {

Batch::Batch() = default;
Batch::~Batch() = default;
Batch::Batch(Batch&&) noexcept = default;
Batch& Batch::operator=(Batch&&) noexcept = default;

BatchBuilder::BatchBuilder(Batch& batch) : batch_(&batch) {
  if (!batch.frames_) batch.frames_ = std::make_unique<Batch::Frames>();
}

void BatchBuilder::clear() {
  views().clear();
  frames().clear();
}

std::uint64_t gap_of(const EnvelopeView& view) {
  if (view.kind() != Kind::kGap) return 0;
  const Result<Gap> gap = decode_gap(view.body);
  return gap ? gap->count : 0;
}

Message make_message(const EnvelopeView& view) {
  const Result<Meta> meta = read_meta(view);
  return make_message(view, meta ? *meta : Meta());
}

Message make_message(const EnvelopeView& view, const Meta& meta) {
  Message message;
  message.kind = view.kind();
  message.from = view.from;
  message.to = view.to;
  message.id = view.id;
  if (view.kind() == Kind::kGap) {
    message.gap = gap_of(view);
    return message;
  }
  message.body_is_text = view.body_is_text;
  message.body.assign(view.body.begin(), view.body.end());
  if (!view.has_meta()) return message;
  if (is_utf8(meta.content_type)) message.content_type = meta.content_type;
  if (is_utf8(meta.trace)) message.trace = meta.trace;
  message.sent_ns = meta.sent_ns;
  message.in_reply_to = meta.in_reply_to.value_or(0);
  message.rejected = meta.rejected;
  message.more = meta.more;
  message.again = meta.again;
  message.retained = meta.retained;
  message.will = meta.will;
  return message;
}

}  // namespace zpost::peer
