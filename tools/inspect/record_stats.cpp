#include "tools/inspect/record_stats.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/envelope_columns.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/kinds.h"

namespace zpost::inspect {
namespace {

constexpr double kNsOfSecond = 1e9;
constexpr std::size_t kShownPairs = 20;

/// `delivered 12, no-peer 3`.
std::string counts_text(const std::map<std::string, std::uint64_t>& counts) {
  std::string text;
  for (const auto& [name, count] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, cli::count_text(count));
  }
  return text.empty() ? "none" : text;
}

}  // namespace

void RecordStats::add(const TapEntry& entry) {
  const TapRecord& record = entry.record;
  if (records_++ == 0) first_ns_ = record.time_ns;
  first_ns_ = std::min(first_ns_, record.time_ns);
  last_ns_ = std::max(last_ns_, record.time_ns);
  missed_ += entry.missed;
  if (record.event == TapEvent::kMissed) return;
  const bool session = record.event == TapEvent::kSession;
  const std::uint64_t count = session ? 1 : record.count;
  events_[std::string(event_name(record.event))] += count;
  if (session) return;
  if (record.event == TapEvent::kReceived) {
    Amount& kind = kinds_[kind_text(record.kind)];
    for (Amount* amount : {&received_, &kind, &pair_of(entry).received}) {
      amount->envelopes += count;
      amount->bytes += record.bytes;
    }
  }
  if (record.event == TapEvent::kFailed) {
    pair_of(entry).failed += count;
    outcomes_[std::string(outcome_name(static_cast<Outcome>(record.code)))] += count;
  }
  if (record.event == TapEvent::kDelivered) {
    pair_of(entry).delivered += count;
    const auto outcome = record.code == 0 ? Outcome::kDelivered : static_cast<Outcome>(record.code);
    outcomes_[std::string(outcome_name(outcome))] += count;
  }
}

RecordStats::Pair& RecordStats::pair_of(const TapEntry& entry) {
  const Key key{entry.from, entry.to};
  const auto found = pairs_.find(key);
  if (found != pairs_.end()) return found->second;
  return pairs_.size() < kMaxPairs ? pairs_[key] : pairs_[Key{"(others)", "(others)"}];
}

double RecordStats::seconds() const {
  return static_cast<double>(last_ns_ - first_ns_) / kNsOfSecond;
}

double RecordStats::rate() const {
  return seconds() > 0 ? static_cast<double>(received_.envelopes) / seconds() : 0;
}

std::uint64_t RecordStats::mean_bytes() const {
  return received_.envelopes == 0 ? 0 : received_.bytes / received_.envelopes;
}

std::string RecordStats::text() const {
  if (records_ == 0) return comments_text() + "no records\n";
  std::string kinds;
  for (const auto& [name, amount] : kinds_) {
    kinds +=
        fmt::format("{}{} {}", kinds.empty() ? "" : ", ", name, cli::count_text(amount.envelopes));
  }
  std::string text = comments_text();
  text += fmt::format("from      {}\nto        {}\nspan      {:.3f} s\n", cli::utc_time(first_ns_),
                      cli::utc_time(last_ns_), seconds());
  text += fmt::format("records   {}, {} missed\n", cli::count_text(records_),
                      missed_ == 0 ? "none" : cli::count_text(missed_));
  text += fmt::format("received  {}, {}, {} each on average, {:.1f} a second\n",
                      cli::counted(received_.envelopes, "envelope"),
                      cli::size_text(received_.bytes), cli::size_text(mean_bytes()), rate());
  text += fmt::format("kinds     {}\n", kinds.empty() ? "none" : kinds);
  text += fmt::format("events    {}\n", counts_text(events_));
  text += fmt::format("outcomes  {}\n", counts_text(outcomes_));
  return text + who_text();
}

std::string RecordStats::comments_text() const {
  std::string text;
  for (const std::string& each : comments_) {
    text += fmt::format("comment   {}\n", cli::visible_line(each));
  }
  return text;
}

std::string RecordStats::who_text() const {
  using Row = std::pair<Key, Pair>;
  std::vector<Row> rows(pairs_.begin(), pairs_.end());
  std::ranges::stable_sort(rows, std::greater(),
                           [](const Row& row) { return row.second.received.envelopes; });
  std::size_t columns = 0;
  for (const auto& [key, pair] : rows) {
    columns = std::max(columns, cli::columns_of(way_text(key.first, key.second)));
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(rows.size(), kShownPairs); ++i) {
    const auto& [key, pair] = rows[i];
    text +=
        fmt::format("  {}  {} received, {}, {} delivered, {} failed\n",
                    cli::padded(way_text(key.first, key.second), columns),
                    cli::count_text(pair.received.envelopes), cli::size_text(pair.received.bytes),
                    cli::count_text(pair.delivered), cli::count_text(pair.failed));
  }
  if (rows.size() > kShownPairs) {
    text += fmt::format("  and {} more\n", cli::counted(rows.size() - kShownPairs, "pair"));
  }
  return text.empty() ? "" : "who\n" + text;
}

std::string RecordStats::json() const {
  using cli::Json;
  Json kinds = Json::object();
  for (const auto& [name, amount] : kinds_) {
    kinds[name] = Json{{"envelopes", amount.envelopes}, {"bytes", amount.bytes}};
  }
  Json pairs = Json::array();
  for (const auto& [key, pair] : pairs_) {
    pairs.push_back(Json{{"from", key.first},
                         {"to", key.second},
                         {"received", pair.received.envelopes},
                         {"bytes", pair.received.bytes},
                         {"delivered", pair.delivered},
                         {"failed", pair.failed}});
  }
  Json json = Json::object();
  json["records"] = records_;
  json["missed"] = missed_;
  if (records_ > 0) {
    json["first"] = cli::utc_time(first_ns_);
    json["last"] = cli::utc_time(last_ns_);
  }
  json["comments"] = Json::array();
  for (const std::string& each : comments_) json["comments"].push_back(cli::as_utf8(each));
  json["seconds"] = seconds();
  json["received"] = received_.envelopes;
  json["bytes"] = received_.bytes;
  json["per_second"] = rate();
  json["kinds"] = std::move(kinds);
  json["events"] = events_;
  json["outcomes"] = outcomes_;
  json["pairs"] = std::move(pairs);
  return cli::to_line(json);
}

}  // namespace zpost::inspect
