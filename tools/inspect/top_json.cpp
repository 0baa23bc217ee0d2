// What `top` knows, for programs. Pure.
#include <array>
#include <utility>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/timestamps.h"
#include "tools/inspect/top_view.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::inspect {
namespace {

using cli::Json;

Json json_of(const TopRow& row, TopTab tab, std::uint64_t now_ns) {
  Json json;
  json["name"] = row.name;
  for (const TopColumn& column : columns_of(tab)) {
    const std::uint64_t number = column.number(row);
    // Nobody took anything: there is no latency, not one of nothing.
    if (number > 0 || !column.key.ends_with("_ns")) json[std::string(column.key)] = number;
  }
  for (const auto& [code, count] : row.failures_by) {
    json["failed_by"][std::string(outcome_name(code))] = count;
  }
  if (tab != TopTab::kPeers) return json;
  json["state"] = row.state.empty() ? "gone" : row.state;
  json["queued_bytes"] = row.queued_bytes;
  json["dropped"] = row.dropped;
  if (row.stalled) json["waits_for"] = row.stalled_by.empty() ? "credit" : row.stalled_by;
  if (const std::string slow = slowness(row, now_ns); !slow.empty()) json["slow"] = slow;
  return json;
}

Json recorder_of(const TopModel& model) {
  const BrokerStats& numbers = model.numbers();
  Json json;
  json["bytes"] = numbers.recorder_bytes;
  json["limit"] = numbers.recorder_limit;
  const bool some = numbers.recorder_oldest_ns != 0 && numbers.recorder_oldest_ns < model.now_ns();
  json["reach_ns"] = some ? model.now_ns() - numbers.recorder_oldest_ns : 0;
  return json;
}

}  // namespace

std::string top_json(const TopPicture& picture) {
  const TopModel& model = picture.model;
  const BrokerStats& numbers = model.numbers();
  Json json;
  json["time"] = cli::utc_time(model.now_ns());
  json["endpoint"] = picture.endpoint;
  if (!picture.broker.empty()) json["broker"] = picture.broker;
  if (numbers.started_ns != 0) json["started"] = cli::utc_time(numbers.started_ns);
  json["answers"] = model.answers();
  json["tap_open"] = picture.taps;
  json["recorder"] = recorder_of(model);
  json["memory"] = numbers.memory;
  json["in_rate"] = model.in().rate();
  json["out_rate"] = model.out().rate();
  json["held"] = numbers.held;
  json["failed"] = numbers.failed;
  json["failed_by"] = numbers.failed_by;
  json["missed"] = model.missed();
  constexpr std::array kTables{std::pair{TopTab::kPeers, "peers"},
                               std::pair{TopTab::kTopics, "topics"},
                               std::pair{TopTab::kServices, "services"}};
  for (const auto& [tab, key] : kTables) {
    json[key] = Json::array();
    const TopOrder& order = picture.state.orders[static_cast<std::size_t>(tab)];
    for (const TopRow* row : ordered_rows(model, tab, order, picture.state.filter.empty())) {
      json[key].push_back(json_of(*row, tab, model.now_ns()));
    }
  }
  return cli::to_line(json);
}

}  // namespace zpost::inspect
