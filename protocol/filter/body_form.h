// How a body is encoded, as far as its sender says or its first bytes show.
#pragma once

#include <cstdint>
#include <string_view>

#include "zpost/protocol/msgpack_reader.h"

namespace zpost {

enum class BodyForm : std::uint8_t { kUnknown, kText, kJson, kMsgpack };

/// "application/x" of "application/x; charset=…".
[[nodiscard]] std::string_view media_type(std::string_view content_type);

/// What the content type says; kUnknown: nothing, or nothing known here.
[[nodiscard]] BodyForm form_by_type(std::string_view content_type);

/// The content type's, or without one: JSON that begins as an object or array, MessagePack that
/// begins as a map or array and is not sent as text. kUnknown: text, or anything.
[[nodiscard]] BodyForm guess_form(Bytes body, bool is_text, std::string_view content_type);

}  // namespace zpost
