#include "tools/inspect/kept_line.h"

namespace zpost::inspect {

KeptLine::KeptLine(const TailLine& line) : line_(line) {
  if (!line_.envelope) return;
  ShownEnvelope& envelope = *line_.envelope;
  content_type_ = envelope.content_type;
  trace_ = envelope.trace;
  body_.assign(envelope.body.begin(), envelope.body.end());
  envelope.content_type = envelope.trace = {};
  envelope.body = {};
}

TailLine KeptLine::line() const {
  TailLine line = line_;
  if (!line.envelope) return line;
  line.envelope->content_type = content_type_;
  line.envelope->trace = trace_;
  line.envelope->body = body_;
  return line;
}

}  // namespace zpost::inspect
