#include "protocol/filter/body_form.h"

namespace zpost {

namespace {

bool is_json_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool begins_as_json(std::string_view text) {
  while (!text.empty() && is_json_space(text.front())) text.remove_prefix(1);
  return text.starts_with('{') || text.starts_with('[');
}

/// The tag of a map or an array. Text of UTF-8 begins so in a few rare scripts only.
bool begins_as_msgpack(Bytes body) {
  if (body.empty()) return false;
  const auto tag = std::to_integer<std::uint8_t>(body.front());
  return (tag >= 0x80 && tag <= 0x9f) || (tag >= 0xdc && tag <= 0xdf);
}

}  // namespace

std::string_view media_type(std::string_view content_type) {
  content_type = content_type.substr(0, content_type.find(';'));
  while (content_type.ends_with(' ')) content_type.remove_suffix(1);
  return content_type;
}

BodyForm form_by_type(std::string_view content_type) {
  const std::string_view type = media_type(content_type);
  if (type == "application/json" || type == "text/json" || type.ends_with("+json")) {
    return BodyForm::kJson;
  }
  if (type == "application/msgpack" || type == "application/x-msgpack" ||
      type == "application/vnd.msgpack" || type.ends_with("+msgpack")) {
    return BodyForm::kMsgpack;
  }
  return type.starts_with("text/") ? BodyForm::kText : BodyForm::kUnknown;
}

BodyForm guess_form(Bytes body, bool is_text, std::string_view content_type) {
  if (!media_type(content_type).empty()) return form_by_type(content_type);
  if (begins_as_json(as_text(body))) return BodyForm::kJson;
  if (!is_text && begins_as_msgpack(body)) return BodyForm::kMsgpack;
  return BodyForm::kUnknown;
}

}  // namespace zpost
