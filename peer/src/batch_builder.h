// How the library fills the values it hands out.
#pragma once

#include <vector>

#include "peer/src/inbox.h"
#include "zpost/peer/message.h"

namespace zpost::peer {

struct Batch::Frames {
  std::vector<Keeper> kept;
};

class BatchBuilder {
 public:
  explicit BatchBuilder(Batch& batch);

  /// Empties the batch; the bytes it borrowed may be gone after that.
  void clear();

  [[nodiscard]] std::vector<EnvelopeView>& views() { return batch_->envelopes_; }

  [[nodiscard]] std::vector<Keeper>& frames() { return batch_->frames_->kept; }

 private:
  Batch* batch_;
};

/// Copies an envelope. Texts of its meta that are not UTF-8 are left out.
[[nodiscard]] Message make_message(const EnvelopeView& view);
/// The same with its meta as read_meta() gives it.
[[nodiscard]] Message make_message(const EnvelopeView& view, const Meta& meta);

}  // namespace zpost::peer
