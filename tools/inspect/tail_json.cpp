#include "tools/inspect/tail_json.h"

#include "peer/cli/shared/body.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Json;
using cli::json_id;

void put_run(Json& json, const TailLine& line) {
  json["from"] = line.from;
  json["to"] = line.to;
  if (line.kind_number != 0) json["kind"] = kind_name(static_cast<Kind>(line.kind_number));
  json["id"] = json_id(line.first_id);
  if (line.count > 1) json["last_id"] = json_id(line.last_id);
  json["count"] = line.count;
  if (line.bytes != 0) json["bytes"] = line.bytes;  // Not told of what is assigned or answered.
  put_fate(json, line);
  if (line.envelope) put_envelope(json, *line.envelope);
  if (line.protobuf) put_protobuf(json, *line.protobuf);
  if (line.envelope && line.redacted) json["redacted"] = true;
  if (line.decoded) json["decoded"] = *line.decoded;
}

}  // namespace

void put_protobuf(Json& json, const ProtobufBody& body) {
  if (!body.message.empty()) json["protobuf_message"] = body.message;
  if (!body.remark.empty()) json["protobuf_remark"] = body.remark;
  if (body.fault.empty()) {
    json["body_protobuf"] = Json::parse(body.json);
  } else {
    json["protobuf_fault"] = body.fault;
  }
}

void put_envelope(Json& json, const ShownEnvelope& envelope) {
  if (!envelope.content_type.empty()) json["content_type"] = envelope.content_type;
  if (!envelope.trace.empty()) json["trace"] = envelope.trace;
  if (envelope.in_reply_to != 0) json["in_reply_to"] = json_id(envelope.in_reply_to);
  if (envelope.rejected) json["rejected"] = true;
  cli::put_body(json, {envelope.body, envelope.body_is_text, envelope.content_type, envelope.cut});
}

void put_fate(Json& json, const TailLine& line) {
  if (line.outcome != Outcome::kNone) json["outcome"] = outcome_name(line.outcome);
  if (line.held) json["why"] = held_name(*line.held);
  if (line.latency_ns) json["latency_ns"] = *line.latency_ns;
  if (line.flow) json["flow"] = flow_name(*line.flow);
  if (line.op) json["op"] = op_name(*line.op);
  if (line.again) json["again"] = true;
  if (line.queues != 0) json["queues"] = line.queues;
  if (line.attempt != 0) json["attempt"] = line.attempt;
  if (line.reply_id != 0) json["reply"] = json_id(line.reply_id);
}

std::string tail_json(const TailLine& line) {
  Json json{{"time", cli::utc_time(line.time_ns)},
            {"sequence", line.sequence},
            {"event", event_name(line.event)}};
  switch (line.event) {
    case TapEvent::kMissed:
      json["missed"] = line.missed;
      break;
    case TapEvent::kSession:
      json["peer"] = line.from;
      json["change"] = change_name(line.change);
      if (line.outcome != Outcome::kNone) json["reason"] = outcome_name(line.outcome);
      break;
    default:
      put_run(json, line);
      break;
  }
  return cli::to_line(json);
}

}  // namespace zpost::inspect
