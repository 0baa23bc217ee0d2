// The envelopes whose beginning a tap record shows. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost::inspect {

/// An envelope, perhaps cut somewhere in its body. Views into the record.
struct ShownEnvelope {
  std::uint8_t kind_number = 0;
  std::uint64_t id = 0;
  std::string_view content_type = {};
  std::uint64_t in_reply_to = 0;  // 0: not said.
  bool rejected = false;
  bool body_is_text = false;
  Bytes body = {};
  std::uint64_t size = 0;  // Of the whole envelope in bytes, what is cut off included.
  bool cut = false;
};

/// All of which at least the header is there.
[[nodiscard]] std::vector<ShownEnvelope> shown_envelopes(Bytes shown);

}  // namespace zpost::inspect
