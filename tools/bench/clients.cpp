#include "tools/bench/clients.h"

#include <fmt/core.h>

#include <csignal>
#include <exception>

#include "tools/bench/failure.h"
#include "tools/bench/kernel_stats.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartPoll = 200us;
constexpr auto kEndPoll = 1ms;
constexpr auto kStopLimit = 5s;

void record_error(ClientState& state, const char* text) {
  const std::string line(text);
  line.copy(state.error.data(), state.error.size() - 1);
}

}  // namespace

void Gate::wait_for_start() {
  ready();
  while (!open_.load(std::memory_order_acquire)) pause_for(kStartPoll);
}

Clients::Clients(std::size_t capacity) : states_(capacity) {
  members_.reserve(capacity);
}

Clients::~Clients() {
  signal_all(SIGKILL);
}

void Clients::signal_all(int number) {
  for (Member& member : members_) member.process.signal(number);
}

std::size_t Clients::add(const std::string& title, const std::function<void(Gate&)>& part) {
  const std::size_t index = members_.size();
  ClientState& state = states_.all()[index];
  const std::atomic<bool>& open = open_[0];
  members_.push_back({title, ChildProcess::run([&] {
                        try {
                          Gate gate(state, open);
                          part(gate);
                        } catch (const std::exception& failure) {
                          record_error(state, failure.what());
                          throw;
                        }
                      }),
                      /*expendable=*/false});
  return index;
}

void Clients::await_ready(Clock::time_point deadline) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const bool ready = wait_until(deadline, kStartPoll, [&] {
      check();
      return states_[i].ready.load(std::memory_order_acquire);
    });
    if (!ready) throw RunTimedOut(fmt::format("{} did not become ready", members_[i].title));
  }
}

void Clients::start(Clock::time_point deadline) {
  await_ready(deadline);
  open_[0].store(true, std::memory_order_release);
}

void Clients::check() {
  const bool news = a_child_has_ended();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Member& member = members_[i];
    if (member.expendable) continue;
    if (news && member.process.running()) continue;
    if (member.process.exit_code().value_or(0) == 0) continue;
    const char* const error = states_[i].error.data();
    const int code = member.process.exit_code().value_or(-1);
    throw RunFailure(*error != '\0' ? fmt::format("{}: {}", member.title, error)
                                    : fmt::format("{} ended with {}", member.title, code));
  }
}

void Clients::kill(std::size_t index) {
  members_[index].expendable = true;
  members_[index].process.kill();
}

void Clients::kill(const std::vector<std::size_t>& indexes) {
  for (const std::size_t index : indexes) {
    members_[index].expendable = true;
    members_[index].process.signal(SIGKILL);
  }
  for (const std::size_t index : indexes) members_[index].process.kill();
}

void Clients::stop(std::size_t index) {
  Member& member = members_[index];
  member.process.signal(SIGSTOP);
  const bool stands = wait_until(Clock::now() + kStopLimit, kStartPoll, [&] {
    return !member.process.running() || is_stopped(member.process.pid());
  });
  if (!stands || !member.process.running()) {
    throw RunFailure(fmt::format("{} could not be stopped", member.title));
  }
}

void Clients::go_on(std::size_t index) {
  members_[index].process.signal(SIGCONT);
}

void Clients::await_end(Clock::time_point deadline) {
  for (Member& member : members_) {
    const bool ended = wait_until(deadline, kEndPoll, [&] { return !member.process.running(); });
    if (!ended) throw RunFailure(fmt::format("{} did not end", member.title));
  }
  check();
}

std::chrono::nanoseconds Clients::kill_all() {
  signal_all(SIGKILL);
  std::chrono::nanoseconds cpu{0};
  for (Member& member : members_) {
    member.process.kill();
    cpu += member.process.final_cpu_time();
  }
  return cpu;
}

}  // namespace zpost::bench
