#include "broker/core/route_question.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "zpost/protocol/limits.h"
#include "zpost/protocol/names.h"

namespace zpost::core {

namespace {

bool read_kind(MsgpackReader& reader, Kind& kind) {
  std::uint64_t number = 0;
  if (!reader.read_uint(number) || number > UINT8_MAX) return false;
  kind = static_cast<Kind>(number);
  return is_payload(kind);
}

bool read_from(MsgpackReader& reader, std::string_view& from) {
  return reader.read_str(from) && (from.empty() || is_name(from));
}

bool read_entry(MsgpackReader& reader, std::string_view key, RouteQuestion& question) {
  if (key == "kind") return read_kind(reader, question.kind);
  if (key == "from") return read_from(reader, question.from);
  if (key == "to") return reader.read_str(question.to);
  if (key == "bytes") return reader.read_uint(question.bytes) && question.bytes <= UINT32_MAX;
  if (key == "retain") return reader.read_bool(question.retain);
  if (key == "start") return reader.read_uint(question.start);
  return reader.skip();
}

/// Names only keys that it knows: what a stranger makes up has no place in a log.
Error bad_value(std::string_view key) {
  constexpr std::array<std::string_view, 6> kKeys{"kind", "from", "to", "bytes", "retain", "start"};
  const bool known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
  return {Outcome::kMalformed, known ? fmt::format("bad value of key \"{}\"", key)
                                     : std::string("bad value of an unknown key")};
}

}  // namespace

Result<RouteQuestion> parse_route_question(Bytes request) {
  RouteQuestion question;
  MsgpackReader reader(request);
  std::size_t entries = 0;
  if (!reader.read_map(entries, kMaxMetaEntries)) {
    return Error{Outcome::kMalformed, "the body must be a msgpack map"};
  }
  for (; entries > 0; --entries) {
    std::string_view key;
    if (!reader.read_str(key)) return Error{Outcome::kMalformed, "a key is not text"};
    if (!read_entry(reader, key, question)) return bad_value(key);
  }
  // It is told back in the answer, so it must not be longer than names are.
  if (question.to.size() > kMaxTopicBytes) return bad_value("to");
  return question;
}

}  // namespace zpost::core
