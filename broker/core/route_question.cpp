#include "broker/core/route_question.h"

#include "broker/core/question_map.h"
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

std::optional<bool> read_entry(MsgpackReader& reader, std::string_view key,
                               RouteQuestion& question) {
  if (key == "kind") return read_kind(reader, question.kind);
  if (key == "from") return read_from(reader, question.from);
  // It is told back in the answer, so it must not be longer than names are.
  if (key == "to") return reader.read_str(question.to) && question.to.size() <= kMaxTopicBytes;
  if (key == "bytes") return reader.read_uint(question.bytes) && question.bytes <= UINT32_MAX;
  if (key == "retain") return reader.read_bool(question.retain);
  if (key == "start") return reader.read_uint(question.start);
  return std::nullopt;
}

}  // namespace

Result<RouteQuestion> parse_route_question(Bytes request) {
  RouteQuestion question;
  const auto read = read_question_map(request, [&](MsgpackReader& reader, std::string_view key) {
    return read_entry(reader, key, question);
  });
  if (!read) return read.error();
  return question;
}

}  // namespace zpost::core
