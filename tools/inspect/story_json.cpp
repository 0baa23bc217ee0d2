#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"
#include "tools/inspect/story_text.h"
#include "tools/inspect/tail_json.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Json;
using cli::json_id;

Json step_json(const TailLine& step, std::uint64_t begin_ns) {
  Json json{{"time", cli::utc_time(step.time_ns)},
            {"after_ns", step.time_ns - std::min(step.time_ns, begin_ns)},
            {"event", event_name(step.event)}};
  if (step.event == TapEvent::kSession) {
    json["peer"] = step.from;
    json["change"] = change_name(step.change);
    if (step.outcome != Outcome::kNone) json["reason"] = outcome_name(step.outcome);
    return json;
  }
  if (!step.to.empty()) json["to"] = step.to;
  put_fate(json, step);
  return json;
}

Json to_json(const Story& story) {
  Json json{{"id", json_id(story.id)},
            {"from", story.from},
            {"to", story.to},
            {"kind", kind_name(static_cast<Kind>(story.kind_number))},
            {"bytes", story.bytes}};
  if (!story.worker.empty()) json["worker"] = story.worker;
  json["steps"] = Json::array();
  for (const TailLine& step : story.steps) {
    json["steps"].push_back(step_json(step, story.steps.front().time_ns));
  }
  for (const Story& reply : story.replies) json["replies"].push_back(to_json(reply));
  return json;
}

}  // namespace

std::string story_json(const Story& story, const Verdict& verdict) {
  Json json = to_json(story);
  json["fate"] = fate_name(verdict.fate);
  if (!verdict.responsible.empty()) json["responsible"] = verdict.responsible;
  json["verdict"] = verdict.text;
  return cli::to_line(json);
}

}  // namespace zpost::inspect
