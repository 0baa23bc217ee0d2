// Lines that outlive the tap's body they were read from. Pure.
#pragma once

#include <string>

#include "tools/inspect/tail_line.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::inspect {

/// A line and a copy of its envelope.
class KeptLine {
 public:
  explicit KeptLine(const TailLine& line);

  /// Its views point into this object, which must not move meanwhile.
  [[nodiscard]] TailLine line() const;

  /// Of the envelope, as kept.
  [[nodiscard]] std::size_t bytes() const {
    return content_type_.size() + trace_.size() + body_.size();
  }

 private:
  TailLine line_;  // Without views.
  std::string content_type_;
  std::string trace_;
  ByteBuffer body_;
};

}  // namespace zpost::inspect
