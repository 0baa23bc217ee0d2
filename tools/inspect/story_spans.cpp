// Stories as OpenTelemetry spans: opentelemetry-proto, trace.proto, in its JSON mapping (ids in
// hexadecimal, 64-bit numbers as text).
#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "tools/inspect/story_text.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Json;

constexpr int kSpanKindInternal = 1;
constexpr int kStatusError = 2;

/// FNV-1a, 64 bits: the same everywhere and for ever, which std::hash is not.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char each : text) {
    hash = (hash ^ static_cast<unsigned char>(each)) * 1'099'511'628'211U;
  }
  return hash;
}

std::string trace_id(const Story& story) {
  return fmt::format("{:016x}{:016x}", hash_of(story.from), story.id);
}

std::string span_id(const Story& story, std::string_view part) {
  return fmt::format("{:016x}", hash_of(fmt::format("{}/{}/{}", story.from, story.id, part)));
}

Json attribute(std::string_view key, std::string_view value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

struct Span {
  std::string id;
  std::string parent;
  std::string name;
  std::uint64_t begin_ns = 0;
  std::uint64_t end_ns = 0;
};

Json to_json(const std::string& trace, const Span& span, Json attributes) {
  Json json{{"traceId", trace}, {"spanId", span.id}};
  if (!span.parent.empty()) json["parentSpanId"] = span.parent;
  json["name"] = span.name;
  json["kind"] = kSpanKindInternal;
  json["startTimeUnixNano"] = std::to_string(span.begin_ns);
  json["endTimeUnixNano"] = std::to_string(std::max(span.begin_ns, span.end_ns));
  json["attributes"] = std::move(attributes);
  return json;
}

/// What begins with a step and ends with the next; empty: it is only a moment.
std::string stay_name(const TailLine& step, const Story& story) {
  switch (step.event) {
    case TapEvent::kHeld:
      return fmt::format("held: {}", held_name(*step.held));
    case TapEvent::kForwarded:
      return step.queues > 0 ? "" : fmt::format("on its way to {}", story.taker());
    case TapEvent::kAssigned:
      return fmt::format("on its way to {}", story.taker());
    case TapEvent::kDelivered:
      return story.is_question() ? fmt::format("with {}", story.taker()) : "";
    default:
      return "";
  }
}

void put_spans(Json& spans, const std::string& trace, const std::string& parent,
               const Story& story) {
  if (story.steps.empty()) return;
  const std::uint64_t begin = story.steps.front().time_ns;
  std::uint64_t end = story.steps.back().time_ns;
  for (const Story& reply : story.replies) {
    if (!reply.steps.empty()) end = std::max(end, reply.steps.back().time_ns);
  }
  const std::string kind(kind_name(static_cast<Kind>(story.kind_number)));
  const std::string own = span_id(story, "envelope");
  Json attributes = Json::array({attribute("messaging.system", "zpost"),
                                 attribute("messaging.operation.name", kind),
                                 attribute("messaging.destination.name", story.to),
                                 attribute("messaging.message.id", std::to_string(story.id)),
                                 attribute("zpost.from", story.from)});
  if (!story.worker.empty()) attributes.push_back(attribute("zpost.worker", story.worker));
  Json whole = to_json(trace, {own, parent, fmt::format("{} {}", kind, story.to), begin, end},
                       std::move(attributes));
  const TailLine& last = story.steps.back();
  const bool failed = last.event == TapEvent::kFailed ||
                      (last.event == TapEvent::kAnswered && last.outcome != Outcome::kNone);
  if (failed) {
    whole["status"] = Json{{"code", kStatusError}, {"message", outcome_name(last.outcome)}};
  }
  spans.push_back(std::move(whole));
  for (std::size_t i = 0; i + 1 < story.steps.size(); ++i) {
    const std::string name = stay_name(story.steps[i], story);
    if (name.empty()) continue;
    spans.push_back(to_json(trace,
                            {span_id(story, std::to_string(i)), own, name, story.steps[i].time_ns,
                             story.steps[i + 1].time_ns},
                            Json::array()));
  }
  for (const Story& reply : story.replies) put_spans(spans, trace, own, reply);
}

}  // namespace

std::string story_spans(const Story& story, const Verdict&) {
  Json spans = Json::array();
  put_spans(spans, trace_id(story), "", story);
  const Json resource{{"attributes", Json::array({attribute("service.name", "zpost-broker")})}};
  const Json scope{{"name", "zpost-inspect"}};
  Json scoped{{"scope", scope}, {"spans", std::move(spans)}};
  Json one{{"resource", resource}, {"scopeSpans", Json::array({std::move(scoped)})}};
  return cli::to_line(Json{{"resourceSpans", Json::array({std::move(one)})}});
}

}  // namespace zpost::inspect
