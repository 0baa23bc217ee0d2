#include "peer/cli/received.h"

#include <fmt/format.h>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

/// Who says it, and about what.
std::string heading(const Received& received) {
  std::string text = received.topic.empty() ? "" : std::string(received.topic) + " ";
  text += received.from.empty() ? "the broker" : received.from;
  return visible_line(received.retained ? text + " (retained)" : text);
}

}  // namespace

Received received(const EnvelopeView& view) {
  Received received{.kind = kind_name(view.kind()),
                    .from = view.from,
                    .topic = view.kind() == Kind::kPublish ? view.to : std::string_view(),
                    .id = view.id,
                    .body = {view.body, view.body_is_text}};
  if (!view.has_meta()) return received;
  const Result<Meta> meta = read_meta(view);
  if (!meta) return received;
  received.retained = meta->retained;
  received.more = meta->more;
  received.sent_ns = meta->sent_ns;
  received.trace = meta->trace;
  received.in_reply_to = meta->in_reply_to.value_or(0);
  received.body.content_type = meta->content_type;
  return received;
}

Received received(const peer::Message& message) {
  return {.kind = kind_name(message.kind),
          .from = message.from,
          .topic = message.kind == Kind::kPublish ? message.to : std::string_view(),
          .retained = message.retained,
          .more = message.more,
          .id = message.id,
          .sent_ns = message.sent_ns,
          .trace = message.trace,
          .in_reply_to = message.in_reply_to,
          .body = {message.body, message.body_is_text, message.content_type}};
}

std::string received_text(const Received& received, const Palette& palette, std::uint64_t now_ns) {
  const std::uint64_t time = received.sent_ns == 0 ? now_ns : received.sent_ns;
  const std::string clock = local_time(time, now_ns);
  const std::string from = heading(received);
  const ReadableBody body = readable(received.body);
  const std::size_t indent = columns_of(clock) + columns_of(from) + 3;
  std::string text = palette.paint(Ink::kDim, clock) + " " + palette.name(from) + ": ";
  const std::string shown = visible_block(body.text, indent);
  return text + (body.form == BodyForm::kBinary ? palette.paint(Ink::kDim, shown) : shown) + "\n";
}

std::string received_json(const Received& received) {
  Json json{{"id", json_id(received.id)}, {"from", received.from}, {"kind", received.kind}};
  if (!received.topic.empty()) json["topic"] = received.topic;
  if (received.retained) json["retained"] = true;
  if (received.more) json["more"] = true;
  if (received.in_reply_to != 0) json["in_reply_to"] = json_id(received.in_reply_to);
  if (!received.body.content_type.empty()) json["content_type"] = received.body.content_type;
  if (!received.trace.empty()) json["trace"] = received.trace;
  if (received.sent_ns != 0) json["sent"] = utc_time(received.sent_ns);
  put_body(json, received.body);
  return to_line(json);
}

std::string gap_json(std::uint64_t count) {
  return to_line(Json{{"kind", kind_name(Kind::kGap)}, {"count", count}});
}

std::string gap_text(std::uint64_t count) {
  return counted(count, "envelope") + " dropped here: this subscriber takes too slowly";
}

std::string too_few_text(std::uint64_t had, std::string_view noun,
                         std::chrono::milliseconds timeout, std::uint64_t wanted) {
  const std::string how_long = duration_text(timeout) + " (--timeout)";
  const std::string aim = wanted > 0 ? fmt::format(", {} wanted", count_text(wanted)) : "";
  if (had == 0) return fmt::format("timed out: no {} came within {}{}", noun, how_long, aim);
  return fmt::format("timed out: {} came, then nothing for {}{}", counted(had, noun), how_long,
                     aim);
}

std::string received_raw(const Received& received) {
  std::string bytes(as_text(received.body.bytes));
  if (received.body.is_text) bytes += '\n';
  return bytes;
}

}  // namespace zpost::cli
