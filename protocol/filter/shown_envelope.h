// The envelopes whose beginning a tap record shows. SPEC.md, section 12.
#pragma once

#include <cstdint>
#include <string_view>

#include "zpost/protocol/envelope.h"
#include "zpost/protocol/msgpack_reader.h"

namespace zpost {

/// An envelope, perhaps cut somewhere in its body. Views into the record.
struct ShownEnvelope {
  std::uint8_t kind_number = 0;
  std::uint64_t id = 0;
  std::string_view content_type = {};
  std::string_view trace = {};
  std::uint64_t in_reply_to = 0;  // 0: not said.
  bool rejected = false;
  bool more = false;  // Of a reply: others follow.
  bool body_is_text = false;
  Bytes body = {};
  std::uint64_t size = 0;  // Of the whole envelope in bytes, what is cut off included.
  bool cut = false;
};

/// Goes through what a record shows. Nothing is allocated.
class ShownReader {
 public:
  explicit ShownReader(Bytes shown) : shown_(shown), reader_(shown) {}

  /// The next one of which at least the header is there. False: no more.
  [[nodiscard]] bool next(ShownEnvelope& envelope);

  /// What is there of the one that next() gave.
  [[nodiscard]] Bytes bytes() const { return shown_.subspan(begin_, end_ - begin_); }

 private:
  Bytes shown_;
  FrameReader reader_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool over_ = false;
};

}  // namespace zpost
