// Bodies of envelopes for people and for programs.
#pragma once

#include <string>
#include <string_view>

#include "peer/cli/shared/json_fwd.h"
#include "zpost/protocol/msgpack_reader.h"

namespace zpost::cli {

struct Body {
  Bytes bytes = {};
  bool is_text = false;  // The sender said so.
  std::string_view content_type = {};
  bool cut = false;  // Only the beginning is there.
};

enum class BodyForm { kText, kJson, kMsgpack, kBinary };

struct ReadableBody {
  BodyForm form = BodyForm::kText;
  std::string text;  // Not made visible yet.
};

/// The body as text: by its content type, without one by what it looks like. Binary: the first
/// bytes in hexadecimal and how many there are.
[[nodiscard]] ReadableBody readable(const Body& body);

/// Puts `body` (text) or `body_base64` into `object`, `body_msgpack` besides the latter if it is.
void put_body(Json& object, const Body& body);

}  // namespace zpost::cli
