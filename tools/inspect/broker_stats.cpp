#include "tools/inspect/broker_stats.h"

#include <optional>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/msgpack_json.h"

namespace zpost::inspect {
namespace {

using cli::Json;

std::uint64_t number(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

/// The map under `key`; an empty one if there is none.
Json map_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_object() ? *found : Json::object();
}

std::map<std::string, std::uint64_t> numbers_of(const Json& map) {
  std::map<std::string, std::uint64_t> numbers;
  for (const auto& [name, value] : map.items()) {
    if (value.is_number_unsigned()) numbers[name] = value.get<std::uint64_t>();
  }
  return numbers;
}

}  // namespace

ByteBuffer stats_question() {
  ByteBuffer body;
  MsgpackWriter(body).map(1).str("op").str("stats");
  return body;
}

BrokerStats stats_from(Bytes body) {
  const std::optional<Json> json = cli::json_from_msgpack(body);
  if (!json || !json->is_object()) return {};
  const Json counters = map_of(*json, "counters");
  const Json recorder = map_of(*json, "recorder");
  return {.time_ns = number(*json, "time"),
          .started_ns = number(*json, "started"),
          .peers = number(*json, "peers"),
          .inspectors = number(*json, "inspectors"),
          .subscriptions = number(*json, "subscriptions"),
          .retained = number(*json, "retained"),
          .held = number(counters, "held"),
          .received = number(counters, "received"),
          .delivered = number(counters, "delivered"),
          .unconfirmed = number(counters, "unconfirmed"),
          .failed = number(counters, "failed"),
          .failed_by = numbers_of(map_of(counters, "failed_by")),
          .memory = number(*json, "memory"),
          .recorder_bytes = number(recorder, "bytes"),
          .recorder_limit = number(recorder, "limit"),
          .recorder_oldest_ns = number(recorder, "oldest"),
          .limits = numbers_of(map_of(*json, "limits"))};
}

}  // namespace zpost::inspect
