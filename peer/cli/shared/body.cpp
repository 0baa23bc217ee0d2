#include "peer/cli/shared/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "peer/cli/shared/base64.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/msgpack_json.h"
#include "peer/cli/shared/units.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kShownBytes = 16;
constexpr std::size_t kLongestCharacter = 4;

/// "application/x" of "application/x; charset=…".
std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

bool says_json(std::string_view type) {
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

bool says_msgpack(std::string_view type) {
  return type == "application/msgpack" || type == "application/x-msgpack" ||
         type == "application/vnd.msgpack" || type.ends_with("+msgpack");
}

bool is_text(const Body& body) {
  std::string_view text = as_text(body.bytes);
  if (is_utf8(text)) return true;
  if (!body.cut) return false;
  // The cut may have gone through a character.
  for (std::size_t i = 1; i < kLongestCharacter && i < text.size(); ++i) {
    if (is_utf8(text.substr(0, text.size() - i))) return true;
  }
  return false;
}

bool looks_like_text(const Body& body) {
  if (!is_text(body)) return false;
  return body.is_text ||
         std::ranges::none_of(body.bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

std::optional<Json> as_msgpack(const Body& body) {
  if (body.cut || body.is_text) return std::nullopt;
  const std::string_view type = media_type(body.content_type);
  if (says_msgpack(type)) return json_from_msgpack(body.bytes);
  // Nearly any byte is some value of msgpack; arrays and maps are not there by chance.
  if (!type.empty() || looks_like_text(body)) return std::nullopt;
  if (std::optional<Json> json = json_from_msgpack(body.bytes); json && json->is_structured()) {
    return json;
  }
  return std::nullopt;
}

std::string hexadecimal(const Body& body) {
  std::string text =
      fmt::format("{}{}:", body.cut ? "at least " : "", size_text(body.bytes.size()));
  const Bytes shown = body.bytes.first(std::min(body.bytes.size(), kShownBytes));
  for (const std::byte byte : shown) {
    fmt::format_to(std::back_inserter(text), " {:02x}", std::to_integer<unsigned>(byte));
  }
  if (body.cut || shown.size() < body.bytes.size()) text += " …";
  return text;
}

}  // namespace

ReadableBody readable(const Body& body) {
  if (const std::optional<Json> json = as_msgpack(body)) {
    return {BodyForm::kMsgpack, json->dump(-1, ' ', false, Json::error_handler_t::replace)};
  }
  if (!looks_like_text(body)) return {BodyForm::kBinary, hexadecimal(body)};
  const bool json = says_json(media_type(body.content_type));
  return {json ? BodyForm::kJson : BodyForm::kText, std::string(as_text(body.bytes))};
}

void put_body(Json& object, const Body& body) {
  if (std::optional<Json> json = as_msgpack(body)) {
    object["body_msgpack"] = *std::move(json);
    object["body_base64"] = base64(body.bytes);
  } else if (is_text(body)) {
    object["body"] = as_text(body.bytes);
  } else {
    object["body_base64"] = base64(body.bytes);
  }
  if (body.cut) object["body_cut"] = true;
}

}  // namespace zpost::cli
