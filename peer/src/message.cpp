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

Message make_message(const EnvelopeView& view) {
  Message message;
  message.kind = view.kind();
  message.from = view.from;
  message.id = view.id;
  message.body_is_text = view.body_is_text;
  message.body.assign(view.body.begin(), view.body.end());
  if (!view.has_meta()) return message;
  const Result<Meta> meta = read_meta(view);
  if (!meta) return message;
  if (is_utf8(meta->content_type)) message.content_type = meta->content_type;
  message.sent_ns = meta->sent_ns;
  message.in_reply_to = meta->in_reply_to.value_or(0);
  message.rejected = meta->rejected;
  return message;
}

}  // namespace zpost::peer
