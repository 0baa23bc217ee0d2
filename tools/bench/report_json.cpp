#include "tools/bench/report_json.h"

#include <nlohmann/json.hpp>

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
  add_spread("p99_ratio", row.p99_ratio, object);
  add_spread("server_cpu_us", row.server_cpu_us, object);
  add_spread("server_peak_bytes", row.server_peak_bytes, object);
  object["lost"] = row.lost;
  object["duplicated"] = row.duplicated;
  object["reordered"] = row.reordered;
  object["corrupt"] = row.corrupt;
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
