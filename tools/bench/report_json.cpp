#include "tools/bench/report_json.h"

#include <nlohmann/json.hpp>

#include "tools/bench/aim.h"

namespace zpost::bench::json {
namespace {

using Json = nlohmann::ordered_json;

std::string line(const Json& object) {
  return object.dump() + "\n";
}

const char* word_for(RunEnd end) {
  switch (end) {
    case RunEnd::kFinished:
      return "finished";
    case RunEnd::kTimedOut:
      return "timed-out";
    case RunEnd::kFailed:
      return "failed";
  }
  return "";
}

Json header(const char* type, const System& system, std::size_t payload_bytes) {
  return {{"type", type}, {"system", system.name()}, {"payload_bytes", payload_bytes}};
}

void add_record(const RunRecord& record, Json& object) {
  object["end"] = word_for(record.end);
  if (!record.finished()) object["failure"] = record.failure;
  object["server_cpu_seconds"] = record.server_cpu_seconds;
  object["server_peak_bytes"] = record.server_peak_bytes;
  object["other_cores"] = record.other_cores;
  object["noisy"] = record.noisy();
}

void add_result(const ThroughputRun& run, Json& object) {
  object["per_second"] = run.per_second;
  object["seconds"] = run.seconds;
  object["sent"] = run.sent;
  object["received"] = run.received;
  object["lost"] = run.lost();
  object["duplicated"] = run.duplicated;
  object["reordered"] = run.reordered;
  object["corrupt"] = run.corrupt;
  object["server_cpu_us_per_message"] = run.server_cpu_us_per_message();
  add_record(run.record, object);
}

void add_result(const LatencyRun& run, Json& object) {
  object["p50_us"] = run.microseconds.p50;
  object["p90_us"] = run.microseconds.p90;
  object["p99_us"] = run.microseconds.p99;
  object["p999_us"] = run.microseconds.p999;
  object["max_us"] = run.microseconds.max;
  object["finished"] = run.finished;
  object["corrupt"] = run.corrupt;
  add_record(run.record, object);
}

void add_spread(const char* name, const std::optional<Spread>& spread, Json& object) {
  if (!spread) return;
  object[name] = {{"median", spread->median}, {"min", spread->min}, {"max", spread->max}};
}

Json row_object(const ComparePlan& plan, const WorkItem& work, const CompareRow& row) {
  Json object = header("summary", *row.system, work.payload_bytes);
  object["table"] = table_of(work) == Table::kPairs ? "pairs" : "topics";
  object["work"] = work.name;
  object["reference"] = plan.reference->name();
  object["runs"] = row.runs;
  object["usable"] = row.usable;
  object["noisy"] = row.noisy;
  add_spread("per_second", row.per_second, object);
  add_spread("p50_us", row.p50_us, object);
  add_spread("p99_us", row.p99_us, object);
  add_spread("p999_us", row.p999_us, object);
  add_spread("ratio", row.ratio, object);
  if (const auto aim = aim_of(work.name, row.system->name(), plan.reference->name())) {
    object["aim"] = {{"ratio", aim->ratio}, {"lower_is_better", aim->lower_is_better}};
    if (row.ratio) object["aim"]["met"] = aim->met_by(row.ratio->median);
  }
  add_spread("p99_ratio", row.p99_ratio, object);
  add_spread("server_cpu_us", row.server_cpu_us, object);
  add_spread("server_peak_bytes", row.server_peak_bytes, object);
  object["lost"] = row.lost;
  object["duplicated"] = row.duplicated;
  object["reordered"] = row.reordered;
  object["corrupt"] = row.corrupt;
  return object;
}

void add_share(const char* name, const MemoryShare& share, Json& object) {
  object[name] = {{"rss_bytes", share.resident_bytes}, {"pss_bytes", share.proportional_bytes}};
}

Json ledger_object(const PairLedger& pair) {
  return {{"sent", pair.sent},
          {"arrived", pair.arrived},
          {"duplicated", pair.duplicated},
          {"reordered", pair.reordered},
          {"corrupt", pair.corrupt}};
}

Json told_object(const ToldLedger& told) {
  Json object = {{"delivered", told.delivered},
                 {"lost", told.lost},
                 {"other", told.other},
                 {"stray", told.stray},
                 {"taken_in_vain", told.taken_in_vain}};
  for (std::size_t number = 0; number < told.outcomes.size(); ++number) {
    if (told.outcomes[number] == 0) continue;
    object["outcomes"][outcome_name(static_cast<Outcome>(number))] = told.outcomes[number];
  }
  return object;
}

Json rates_object(const OtherPairRates& rates) {
  return {{"before_per_second", rates.before},
          {"during_per_second", rates.during},
          {"ratio", rates.ratio()},
          {"rested_per_second", rates.rested},
          {"rested_seconds", rates.rested_seconds},
          {"rested_ratio", rates.rested_ratio()}};
}

Json phase_object(const PhaseRun& run) {
  Json object = {{"p50_us", run.microseconds.p50},
                 {"p90_us", run.microseconds.p90},
                 {"p99_us", run.microseconds.p99},
                 {"p999_us", run.microseconds.p999},
                 {"max_us", run.microseconds.max},
                 {"round_trips", run.round_trips},
                 {"corrupt", run.corrupt},
                 {"offered_per_second", run.offered},
                 {"arrived_per_second", run.per_second}};
  object["load"] = ledger_object(run.load);
  add_record(run.record, object);
  return object;
}

// Without the phases that were not run after one that did not finish.
Json round_object(const FairnessRound& round) {
  Json object;
  for (const Phase phase : kPhases) {
    object[word_for(phase)] = phase_object(round.of(phase));
    if (!round.of(phase).record.finished()) break;
  }
  return object;
}

}  // namespace

std::string throughput(const System& system, const ThroughputWork& work, const ThroughputRun& run) {
  Json object = header("throughput", system, work.payload_bytes);
  object["pairs"] = work.pairs;
  add_result(run, object);
  return line(object);
}

std::string latency(const System& system, const LatencyWork& work, const LatencyRun& run) {
  Json object = header("latency", system, work.payload_bytes);
  object["warmup"] = work.warmup;
  object["round_trips"] = work.round_trips;
  add_result(run, object);
  return line(object);
}

std::string memory(const System& system, const MemoryWork& work, const MemoryRun& run) {
  Json object = header("memory", system, work.payload_bytes);
  object["peers"] = work.peers;
  object["envelopes"] = work.envelopes;
  add_share("at_start", run.at_start, object);
  add_share("after_hello", run.after_hello, object);
  add_share("after_envelopes", run.after_envelopes, object);
  const std::uint64_t start = run.at_start.resident_bytes;
  object["kib_per_peer_after_hello"] =
      kib_per_peer(start, run.after_hello.resident_bytes, work.peers);
  object["kib_per_peer_after_envelopes"] =
      kib_per_peer(start, run.after_envelopes.resident_bytes, work.peers);
  object["idle_seconds"] = work.idle.count();
  object["idle_percent_of_a_core"] = run.idle_cores * 100;
  object["sent"] = run.sent;
  object["received"] = run.received;
  object["lost"] = run.lost();
  object["duplicated"] = run.duplicated;
  object["reordered"] = run.reordered;
  object["corrupt"] = run.corrupt;
  add_record(run.record, object);
  return line(object);
}

std::string storm(const StormWork& work, const StormRun& run) {
  Json object;
  object["run"] = "storm";
  object["rate"] = work.rate;
  object["seconds_wanted"] = work.seconds;
  object["wanted"] = run.wanted;
  object["welcomed"] = run.welcomed;
  object["refused"] = run.refused;
  object["without_answer"] = run.hung();
  object["seconds"] = run.seconds;
  object["p50_ms"] = run.milliseconds.p50;
  object["p99_ms"] = run.milliseconds.p99;
  object["p999_ms"] = run.milliseconds.p999;
  add_record(run.record, object);
  return line(object);
}

std::string amplification(const System& system, const AmplificationWork& work,
                          const AmplificationRun& run) {
  Json object = header("amplification", system, work.small_bytes);
  object["large_bytes"] = work.large_bytes;
  object["senders"] = work.senders;
  object["limit_bytes"] = work.memory_bytes;
  object["peak_growth_bytes"] = run.peak_growth();
  add_share("at_start", run.at_start, object);
  add_share("while_held", run.while_held, object);
  object["held"] = run.held;
  object["bytes_per_byte_held"] = run.bytes_per_byte(work.small_bytes);
  object["passed"] = run.passed;
  object["wanted"] = run.wanted;
  add_record(run.record, object);
  return line(object);
}

std::string fairness(const System& system, const FairnessWork& work, const FairnessRun& run,
                     std::optional<double> most) {
  Json object = header("fairness", system, work.load_bytes);
  object["quiet"] = work.quiet;
  object["quiet_rate"] = work.quiet_rate;
  object["quiet_bytes"] = work.quiet_bytes;
  object["senders"] = work.senders;
  object["seconds"] = work.time.count();
  for (const FairnessRound& round : run.rounds) object["rounds"].push_back(round_object(round));
  add_spread("p99_ratio", run.p99_ratio(), object);
  add_spread("load_ratio", run.load_ratio(), object);
  if (most) {
    object["most"] = *most;
    object["exceeded"] = run.exceeds(*most);
  }
  return line(object);
}

std::string stall(const System& system, const StallWork& work, const StallRun& run) {
  Json object = header("stall", system, work.payload_bytes);
  object["mode"] = word_for(work.times.mode());
  object["stop_seconds"] = static_cast<double>(work.times.stop.count()) / 1000;
  object["silence_seconds"] = static_cast<double>(work.times.silence.count()) / 1000;
  object["resume_seconds"] = static_cast<double>(work.times.resume.count()) / 1000;
  if (system.limits_memory()) object["limit_bytes"] = work.memory_bytes;
  object["stalled"] = ledger_object(run.stalled);
  if (run.tells_outcomes) object["told"] = told_object(run.told);
  object["vanished"] = run.vanished();
  object["balances"] = run.balances();
  if (!run.receiver_error.empty()) object["receiver_error"] = run.receiver_error;
  object["other"] = ledger_object(run.other);
  object["other_rates"] = rates_object(run.rates);
  add_record(run.record, object);
  return line(object);
}

std::string compare_run(const CompareRun& run) {
  Json object = header("run", *run.system, run.work->payload_bytes);
  object["work"] = run.work->name;
  object["pairs"] = run.work->pairs;
  object["round"] = run.round;
  std::visit([&](const auto& result) { add_result(result, object); }, run.result);
  return line(object);
}

std::string compare_rows(const ComparePlan& plan, const WorkItem& work,
                         const std::vector<CompareRow>& rows) {
  std::string lines;
  for (const CompareRow& row : rows) lines += line(row_object(plan, work, row));
  return lines;
}

}  // namespace zpost::bench::json
