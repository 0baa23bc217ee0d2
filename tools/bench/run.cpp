#include "tools/bench/run.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>

#include "tools/bench/failure.h"
#include "tools/bench/kernel_stats.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;
using Seconds = std::chrono::duration<double>;

constexpr auto kFarewell = 5s;  // For clients to close their connections.
constexpr auto kRunReadyLimit = 10s;
constexpr auto kReadyLimitOfEach = 30ms;  // More for each client: they share the cores.
constexpr std::uint64_t kSpare = 100;     // Threads and files of the server besides, generously.

std::chrono::nanoseconds own_cpu_time() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return cpu_time(usage);
}

// Measures the CPU time of the server, and of everything that does not belong to the run.
class CpuMeter {
 public:
  explicit CpuMeter(pid_t server) : server_(server) {}

  [[nodiscard]] Seconds server_time() const { return cpu_time(server_) - server_cpu_; }

  [[nodiscard]] double other_cores(std::chrono::nanoseconds clients_cpu) const {
    const Seconds others = machine_busy_time() - busy_ - clients_cpu - (own_cpu_time() - own_cpu_) -
                           (cpu_time(server_) - server_cpu_);
    return std::max(0.0, others / Seconds(Clock::now() - begun_));
  }

 private:
  pid_t server_;
  Clock::time_point begun_ = Clock::now();
  std::chrono::nanoseconds busy_ = machine_busy_time();
  std::chrono::nanoseconds server_cpu_ = cpu_time(server_);
  std::chrono::nanoseconds own_cpu_ = own_cpu_time();
};

void perform(const StartServer& start_server, std::size_t max_clients, Clock::time_point deadline,
             const std::function<void(Stage&)>& conduct, RunRecord& record) {
  Server server = start_server();
  const CpuMeter meter(server.pid());
  Clients clients(max_clients);
  Stage stage{.server = server, .clients = clients, .deadline = deadline};
  conduct(stage);
  record.server_cpu_seconds = meter.server_time().count();
  record.server_peak_bytes = process_memory(server.pid()).peak_resident_bytes;
  clients.await_end(Clock::now() + kFarewell);
  record.other_cores = meter.other_cores(clients.kill_all());
}

}  // namespace

void Stage::check() const {
  clients.check();
  if (!server.running()) throw RunFailure("the server has ended");
}

Clock::time_point ready_deadline(const Stage& stage, std::size_t clients) {
  const auto limit = kRunReadyLimit + static_cast<std::int64_t>(clients) * kReadyLimitOfEach;
  return std::min(stage.deadline, Clock::now() + limit);
}

Needs needs_of(const ClientCost& cost, std::size_t clients) {
  return {.threads = clients * (cost.threads + 1) + kSpare,
          .files = clients + kSpare,
          .ports = clients,
          .mebibytes = clients * cost.kibibytes / 1024};
}

RunRecord conduct_run(const StartServer& start_server, std::size_t max_clients,
                      std::chrono::seconds timeout, const std::function<void(Stage&)>& conduct,
                      const Needs& needs) {
  RunRecord record;
  allow_many_files();
  if (const auto shortage = find_shortage(needs, machine_limits())) {
    record.end = RunEnd::kFailed;
    record.failure = *shortage;
    return record;
  }
  try {
    perform(start_server, max_clients, Clock::now() + timeout, conduct, record);
  } catch (const RunTimedOut& failure) {
    record.end = RunEnd::kTimedOut;
    record.failure = failure.what();
  } catch (const std::exception& failure) {
    record.end = RunEnd::kFailed;
    record.failure = failure.what();
  }
  return record;
}

}  // namespace zpost::bench
