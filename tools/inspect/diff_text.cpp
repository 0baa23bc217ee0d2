#include "tools/inspect/diff_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/decode.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/story.h"
#include "tools/inspect/tail_json.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Json;
using cli::padded;

constexpr std::size_t kWhatColumns = 10;
constexpr std::size_t kStreamColumns = 20;      // From → to, at least,
constexpr std::size_t kMostStreamColumns = 40;  // and at most.
constexpr std::size_t kBodyColumns = 60;
constexpr std::size_t kDiffCountColumns = 8;
constexpr std::size_t kShiftColumns = 20;

std::string way_of(const DiffStream& stream, std::size_t columns) {
  return padded(way_text(who(stream.from), who(stream.to), columns), columns);
}

std::string kind_of(const DiffStream& stream) {
  return padded(stream.kind_number == 0 ? "?" : kind_text(stream.kind_number), kKindColumns);
}

std::string_view kind_word(DiffKind kind) {
  switch (kind) {
    case DiffKind::kOnlyFirst:
      return "only in A";
    case DiffKind::kOnlySecond:
      return "only in B";
    case DiffKind::kChanged:
      return "changed";
  }
  return "";
}

std::string_view pairing_word(DiffPairing pairing) {
  return pairing == DiffPairing::kById ? "id" : "order";
}

std::string change_text(const DiffChange& change) {
  if (change.what == "order") return "order";
  const auto value = [](const std::string& text) { return text.empty() ? "–" : text; };
  return fmt::format("{} {} → {}", change.what, value(change.first), value(change.second));
}

std::string changes_text(const std::vector<DiffChange>& changes) {
  std::string text;
  for (const DiffChange& change : changes) {
    text += (text.empty() ? "" : "; ") + change_text(change);
  }
  return text;
}

std::string ids_text(const Difference& difference) {
  if (difference.first == nullptr) return fmt::format("#{}", difference.second->id);
  const bool both = difference.second != nullptr && difference.second->id != difference.first->id;
  return both ? fmt::format("#{} #{}", difference.first->id, difference.second->id)
              : fmt::format("#{}", difference.first->id);
}

std::string body_text(const DiffEnvelope& envelope) {
  if (!envelope.has_body) return "";
  return cli::shortened(decoded_line(envelope.shown(), Decoding::kAuto), kBodyColumns);
}

Json envelope_json(const DiffEnvelope& envelope) {
  Json json{{"id", cli::json_id(envelope.id)}};
  if (envelope.received_ns != 0) json["time"] = cli::utc_time(envelope.received_ns);
  if (envelope.size != 0) json["bytes"] = envelope.size;
  if (envelope.replied) json["replied"] = true;
  if (envelope.outcome != Outcome::kNone) json["outcome"] = outcome_name(envelope.outcome);
  if (envelope.queues != 0) json["queues"] = envelope.queues;
  if (envelope.latency_ns) json["latency_ns"] = *envelope.latency_ns;
  if (envelope.has_body) put_envelope(json, envelope.shown());
  if (envelope.redacted) json["redacted"] = true;
  return json;
}

void put_stream(Json& json, const DiffStream& stream) {
  json["from"] = stream.from;
  json["to"] = stream.to;
  if (stream.kind_number != 0) json["kind"] = kind_name(static_cast<Kind>(stream.kind_number));
}

void put_counts(Json& json, const DiffCounts& counts) {
  json["first"] = counts.first;
  json["second"] = counts.second;
  json["same"] = counts.same;
  json["changed"] = counts.changed;
  json["only_first"] = counts.only_first;
  json["only_second"] = counts.only_second;
  json["redacted"] = counts.redacted;
  json["cut"] = counts.cut;
}

Json latency_json(const std::optional<DiffLatency>& latency) {
  if (!latency) return nullptr;
  return {{"p50_ns", latency->p50_ns}, {"p99_ns", latency->p99_ns}};
}

DiffCounts sum_of(const std::vector<DiffOverview>& streams) {
  DiffCounts sum;
  for (const DiffOverview& each : streams) sum += each.counts;
  return sum;
}

std::string shift_text(const std::optional<DiffLatency>& first,
                       const std::optional<DiffLatency>& second,
                       std::uint64_t DiffLatency::*which) {
  const auto text = [which](const std::optional<DiffLatency>& latency) {
    return latency ? span_text((*latency).*which) : std::string("–");
  };
  return padded(text(first) + " → " + text(second), kShiftColumns);
}

std::string stream_row(const DiffOverview& each, std::size_t columns) {
  const DiffCounts& counts = each.counts;
  std::string row = way_of(each.stream, columns) + " " + kind_of(each.stream);
  for (const std::uint64_t count : {counts.first, counts.second, counts.same, counts.changed,
                                    counts.only_first, counts.only_second}) {
    row += fmt::format(" {:>{}}", cli::count_text(count), kDiffCountColumns);
  }
  row += "  " + shift_text(each.first, each.second, &DiffLatency::p50_ns);
  row += " " + shift_text(each.first, each.second, &DiffLatency::p99_ns);
  return row.substr(0, row.find_last_not_of(' ') + 1);
}

}  // namespace

std::size_t way_columns(std::span<const DiffSide* const> sides) {
  std::size_t columns = kStreamColumns;
  for (const DiffSide* const side : sides) {
    for (const auto& [stream, envelopes] : side->streams()) {
      columns = std::max(columns, cli::columns_of(way_text(stream.from, stream.to)));
    }
  }
  return std::min(columns, kMostStreamColumns);
}

std::string difference_text(const Difference& difference, std::size_t columns,
                            const cli::Palette& palette) {
  const Ink ink = difference.kind == DiffKind::kChanged     ? Ink::kYellow
                  : difference.kind == DiffKind::kOnlyFirst ? Ink::kRed
                                                            : Ink::kGreen;
  const DiffEnvelope* const alone =
      difference.first == nullptr ? difference.second : difference.first;
  const std::string end =
      difference.kind == DiffKind::kChanged ? changes_text(difference.changes) : body_text(*alone);
  const std::string what = padded(std::string(kind_word(difference.kind)), kWhatColumns);
  return fmt::format("{} {} {} {}{}\n", palette.paint(ink, what),
                     way_of(difference.stream, columns), kind_of(difference.stream),
                     ids_text(difference), end.empty() ? "" : "  " + end);
}

std::string difference_json(const Difference& difference) {
  const char* const name = difference.kind == DiffKind::kChanged     ? "changed"
                           : difference.kind == DiffKind::kOnlyFirst ? "only-first"
                                                                     : "only-second";
  Json json{{"difference", name}};
  put_stream(json, difference.stream);
  if (!difference.changes.empty()) {
    Json& changes = json["changes"] = Json::array();
    for (const DiffChange& change : difference.changes) {
      changes.push_back(
          {{"what", change.what}, {"first", change.first}, {"second", change.second}});
    }
  }
  if (difference.first != nullptr) json["first"] = envelope_json(*difference.first);
  if (difference.second != nullptr) json["second"] = envelope_json(*difference.second);
  return cli::to_line(json);
}

std::string overview_text(const std::vector<DiffOverview>& streams, DiffPairing pairing,
                          std::size_t columns, const cli::Palette& palette) {
  std::string head = padded("STREAM", columns) + " " + padded("KIND", kKindColumns);
  for (const char* const name : {"A", "B", "SAME", "CHANGED", "ONLY A", "ONLY B"}) {
    head += fmt::format(" {:>{}}", name, kDiffCountColumns);
  }
  head += "  " + padded("P50 A → B", kShiftColumns) + " P99 A → B";
  std::string text = palette.paint(Ink::kBold, head) + "\n";
  for (const DiffOverview& each : streams) {
    const std::string row = stream_row(each, columns);
    text += (each.counts.is_same() ? row : palette.paint(Ink::kYellow, row)) + "\n";
  }
  const DiffCounts sum = sum_of(streams);
  text += fmt::format(
      "{} in A, {} in B, paired by {}: {} the same, {} changed, {} only in A, {} "
      "only in B\n",
      cli::counted(sum.first, "envelope"), cli::count_text(sum.second), pairing_word(pairing),
      cli::count_text(sum.same), cli::count_text(sum.changed), cli::count_text(sum.only_first),
      cli::count_text(sum.only_second));
  if (sum.redacted + sum.cut > 0) {
    text += fmt::format(
        "of the same, bodies that could not be compared: {} redacted, {} cut or "
        "not there\n",
        cli::count_text(sum.redacted), cli::count_text(sum.cut));
  }
  return text;
}

std::string overview_json(const std::vector<DiffOverview>& streams, DiffPairing pairing,
                          std::uint64_t first_missed, std::uint64_t second_missed) {
  std::string text;
  for (const DiffOverview& each : streams) {
    Json json = Json::object();
    Json& stream = json["stream"] = Json::object();
    put_stream(stream, each.stream);
    put_counts(json, each.counts);
    json["latency"] = {{"first", latency_json(each.first)}, {"second", latency_json(each.second)}};
    text += cli::to_line(json);
  }
  Json all = Json::object();
  Json& sum = all["summary"] = Json::object();
  const DiffCounts counts = sum_of(streams);
  sum["same_in_all"] = counts.is_same();
  sum["paired_by"] = pairing_word(pairing);
  put_counts(sum, counts);
  sum["first_missed"] = first_missed;
  sum["second_missed"] = second_missed;
  return text + cli::to_line(all);
}

}  // namespace zpost::inspect
