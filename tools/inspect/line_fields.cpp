#include "tools/inspect/line_fields.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "peer/cli/shared/body.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/near_miss.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "protocol/filter/field_path.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/story.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Json;
using filter::FilterError;

/// Null: the line has none.
using ReadField = Json (*)(const TailLine& line);

struct Reader {
  std::string_view name;
  ReadField read;
};

Json number_or_null(std::uint64_t number) {
  return number == 0 ? Json() : Json(number);
}

Json id_or_null(std::uint64_t id) {
  return id == 0 ? Json() : Json(cli::json_id(id));
}

Json text_or_null(std::string_view text) {
  return text.empty() ? Json() : Json(text);
}

bool is_kind(const TailLine& line, Kind kind) {
  return line.kind_number == static_cast<std::uint8_t>(kind);
}

bool is_of_envelopes(const TailLine& line) {
  return line.event != TapEvent::kSession && line.event != TapEvent::kMissed;
}

Json of_envelope(const TailLine& line, Json (*read)(const ShownEnvelope& envelope)) {
  return line.envelope ? read(*line.envelope) : Json();
}

Json read_service(const TailLine& line) {
  if (!is_kind(line, Kind::kCall)) return {};
  std::string_view name = line.to;
  // Once a worker has it, the worker is named.
  if (!name.starts_with('@')) return {};
  name.remove_prefix(1);
  return name;
}

Json read_size(const TailLine& line) {
  if (line.envelope) return line.envelope->size;
  return line.count == 0 ? Json() : number_or_null(line.bytes / line.count);
}

Json read_body(const TailLine& line) {
  if (line.decoded) return *line.decoded;
  if (!line.envelope) return {};
  const ShownEnvelope& envelope = *line.envelope;
  return cli::readable({envelope.body, envelope.body_is_text, envelope.content_type, envelope.cut})
      .text;
}

// In the order in which they are told: filters' first.
constexpr std::array kReaders{
    Reader{"from", [](const TailLine& line) { return Json(line.from); }},
    Reader{"to",
           [](const TailLine& line) { return is_of_envelopes(line) ? Json(line.to) : Json(); }},
    Reader{"peer",
           [](const TailLine& line) {
             return line.event == TapEvent::kSession ? Json(line.from) : Json();
           }},
    Reader{"topic",
           [](const TailLine& line) {
             return is_kind(line, Kind::kPublish) ? Json(line.to) : Json();
           }},
    Reader{"service", read_service},
    Reader{"kind",
           [](const TailLine& line) {
             return line.kind_number == 0 ? Json()
                                          : Json(kind_name(static_cast<Kind>(line.kind_number)));
           }},
    Reader{"event", [](const TailLine& line) { return Json(event_name(line.event)); }},
    Reader{"outcome",
           [](const TailLine& line) {
             return line.outcome == Outcome::kNone ? Json() : Json(outcome_name(line.outcome));
           }},
    Reader{"held",
           [](const TailLine& line) { return line.held ? Json(held_name(*line.held)) : Json(); }},
    Reader{"change",
           [](const TailLine& line) {
             return line.event == TapEvent::kSession ? Json(change_name(line.change)) : Json();
           }},
    Reader{"id", [](const TailLine& line) { return id_or_null(line.first_id); }},
    Reader{"size", read_size},
    Reader{"bytes", [](const TailLine& line) { return number_or_null(line.bytes); }},
    Reader{"count", [](const TailLine& line) { return number_or_null(line.count); }},
    Reader{"latency",
           [](const TailLine& line) { return line.latency_ns ? Json(*line.latency_ns) : Json(); }},
    Reader{"queues", [](const TailLine& line) { return number_or_null(line.queues); }},
    Reader{"attempt", [](const TailLine& line) { return number_or_null(line.attempt); }},
    Reader{"content_type",
           [](const TailLine& line) {
             return of_envelope(line, [](const ShownEnvelope& envelope) {
               return text_or_null(envelope.content_type);
             });
           }},
    Reader{"in_reply_to",
           [](const TailLine& line) {
             return of_envelope(line, [](const ShownEnvelope& envelope) {
               return id_or_null(envelope.in_reply_to);
             });
           }},
    Reader{"rejected",
           [](const TailLine& line) {
             return of_envelope(
                 line, [](const ShownEnvelope& envelope) { return Json(envelope.rejected); });
           }},
    Reader{"body", read_body},
    // What only lines have.
    Reader{"time", [](const TailLine& line) { return Json(cli::utc_time(line.time_ns)); }},
    Reader{"sequence", [](const TailLine& line) { return Json(line.sequence); }},
    Reader{"last_id", [](const TailLine& line) { return id_or_null(line.last_id); }},
    Reader{"reply", [](const TailLine& line) { return id_or_null(line.reply_id); }},
    Reader{"trace",
           [](const TailLine& line) {
             return of_envelope(
                 line, [](const ShownEnvelope& envelope) { return text_or_null(envelope.trace); });
           }},
    Reader{"flow",
           [](const TailLine& line) { return line.flow ? Json(flow_name(*line.flow)) : Json(); }},
    Reader{"op", [](const TailLine& line) { return line.op ? Json(op_name(*line.op)) : Json(); }},
    Reader{"missed", [](const TailLine& line) { return number_or_null(line.missed); }}};

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const Reader& each : kReaders) all.emplace_back(each.name);
  return all;
}

/// Keeps the value that is found, without what is in it.
class ValueKeeper : public filter::BodyVisitor {
 public:
  void visit(const filter::BodyValue& value) override {
    std::visit([this](const auto& found) { keep(found); }, value);
  }

  [[nodiscard]] bool is_nested() const { return nested_; }

  [[nodiscard]] Json take() { return std::move(value_); }

 private:
  void keep(filter::Nested /*found*/) { nested_ = true; }

  void keep(std::string_view found) { value_ = cli::as_utf8(found); }

  template <typename Value>
  void keep(const Value& found) {
    value_ = found;
  }

  Json value_;
  bool nested_ = false;
};

/// Null: there is nothing there.
Json value_at(const Json& body, const filter::BodyPath& path) {
  const Json* value = &body;
  for (const filter::PathStep& step : path) {
    if (const auto* const key = std::get_if<std::string>(&step)) {
      if (!value->is_object() || !value->contains(*key)) return {};
      value = &value->at(*key);
    } else {
      const std::uint64_t place = std::get<std::uint64_t>(step);
      if (!value->is_array() || place >= value->size()) return {};
      value = &value->at(place);
    }
  }
  return *value;
}

/// As filters find it, so that a body that is cut has what stands before the cut.
Json value_in_body(const LineField& field, const TailLine& line) {
  if (!line.envelope) return {};
  ValueKeeper keeper;
  if (filter::find_in_body(*line.envelope, field.path, keeper) != filter::Found::kThere) return {};
  if (!keeper.is_nested()) return keeper.take();
  const std::optional<Json> body = decoded_value(*line.envelope);
  return body ? value_at(*body, field.path) : Json();
}

Json value_of(const LineField& field, const TailLine& line) {
  return field.path.empty() ? kReaders[field.reader].read(line) : value_in_body(field, line);
}

bool is_whole(const LineField& field, std::string_view name) {
  return field.path.empty() && kReaders[field.reader].name == name;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// Up to the next comma that is in no quotes.
std::size_t end_of_piece(std::string_view text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0 && c == '\\') {
      ++i;
    } else if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ',') {
      return i;
    }
  }
  return text.size();
}

template <typename Write>
std::string row_of(const std::vector<LineField>& fields, Write write) {
  std::string row;
  for (const LineField& field : fields) {
    if (&field != &fields.front()) row += '\t';
    row += write(field);
  }
  return row + '\n';
}

}  // namespace

std::string line_field_names() {
  return fmt::format("{}, body.KEY", fmt::join(names(), ", "));
}

Result<LineField, FilterError> line_field(std::string_view text, std::size_t at) {
  const auto parsed = filter::parse_field(text);
  if (!parsed) {
    return FilterError{at + parsed.error().at, parsed.error().text};
  }
  const std::string& name = parsed->field.text;
  const auto* const found = std::ranges::find(kReaders, name, &Reader::name);
  if (found == kReaders.end()) {
    return FilterError{at + parsed->field.at,
                       fmt::format("there is no field \"{}\"{} (there are {})", name,
                                   cli::did_you_mean(name, names()), line_field_names())};
  }
  if (!parsed->path.empty() && name != "body") {
    return FilterError{at + parsed->path_at,
                       fmt::format("{} has nothing in it: only body has", name)};
  }
  return LineField{std::string(trimmed(text)), static_cast<std::size_t>(found - kReaders.begin()),
                   parsed->path};
}

Result<std::vector<LineField>, FilterError> line_fields(std::string_view text) {
  std::vector<LineField> fields;
  std::size_t at = 0;
  while (true) {
    const std::string_view piece = text.substr(at, end_of_piece(text.substr(at)));
    Result<LineField, FilterError> field = line_field(piece, at);
    if (!field) return field.error();
    fields.push_back(*std::move(field));
    at += piece.size() + 1;
    if (at > text.size()) return fields;
  }
}

std::string field_text(const LineField& field, const TailLine& line) {
  if (is_whole(field, "latency")) return line.latency_ns ? span_text(*line.latency_ns) : "";
  const Json value = value_of(field, line);
  if (value.is_null()) return "";
  if (value.is_string()) return cli::visible_line(value.get_ref<const std::string&>());
  return cli::visible_line(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

void put_field(Json& json, const LineField& field, const TailLine& line) {
  if (is_whole(field, "latency")) {
    json["latency_ns"] = value_of(field, line);
  } else if (is_whole(field, "body") && line.envelope && !line.decoded) {
    const ShownEnvelope& envelope = *line.envelope;
    cli::put_body(json,
                  {envelope.body, envelope.body_is_text, envelope.content_type, envelope.cut});
  } else {
    json[field.name] = value_of(field, line);
  }
}

std::string fields_json(const std::vector<LineField>& fields, const TailLine& line) {
  Json json = Json::object();
  for (const LineField& field : fields) put_field(json, field, line);
  return cli::to_line(json);
}

std::string fields_row(const std::vector<LineField>& fields, const TailLine& line) {
  return row_of(fields, [&line](const LineField& field) { return field_text(field, line); });
}

std::string fields_header(const std::vector<LineField>& fields) {
  return row_of(fields, [](const LineField& field) { return cli::visible_line(field.name); });
}

}  // namespace zpost::inspect
