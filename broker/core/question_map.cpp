#include "broker/core/question_map.h"

#include <fmt/format.h>

namespace zpost::core {
namespace {

/// Empty: the bytes are as they should be, but not what they say.
std::string place_text(const MsgpackReader& reader) {
  if (reader.error() == ReadError::kNone) return "";
  return fmt::format(": {} at byte {}", read_error_name(reader.error()), reader.position());
}

}  // namespace

Error no_question(const MsgpackReader& reader) {
  if (reader.error() == ReadError::kTooMany) {
    return {Outcome::kMalformed, fmt::format("the body has more than {} keys", kMaxMetaEntries)};
  }
  return {Outcome::kMalformed, "the body must be a msgpack map with the key op"};
}

Error bad_question_key(const MsgpackReader& reader) {
  return {Outcome::kMalformed, "a key is not text" + place_text(reader)};
}

Error bad_question_value(const MsgpackReader& reader, std::optional<std::string_view> key) {
  const std::string which = key ? fmt::format("key \"{}\"", *key) : "an unknown key";
  return {Outcome::kMalformed, fmt::format("bad value of {}{}", which, place_text(reader))};
}

}  // namespace zpost::core
