#include "tools/bench/storm.h"

#include <fmt/core.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <unordered_map>
#include <vector>
#include <zmq.hpp>

#include "tools/bench/failure.h"
#include "tools/bench/shared_memory.h"
#include "tools/bench/systems/identity.h"
#include "tools/bench/systems/zpost_server.h"
#include "zpost/protocol/control.h"

namespace zpost::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kCrews = 10;
constexpr auto kStormReadyLimit = 20s;
constexpr auto kStormPoll = 5ms;
// After the last attempt: who is not welcomed by then hangs.
constexpr auto kWelcomePatience = 10s;
constexpr int kIoThreads = 1;

struct StormControl {
  std::atomic<std::uint64_t> welcomed = 0;
  std::atomic<std::uint64_t> refused = 0;
  std::atomic<std::int64_t> first = 0;  // CLOCK_MONOTONIC ns.
  std::atomic<std::int64_t> last = 0;
  std::atomic<bool> over = false;
};

/// One process's share of the peers: number `crew`, `crew` + kCrews, …
class StormCrew {
 public:
  StormCrew(const StormWork& work, std::uint16_t port, std::uint32_t crew, StormControl& control,
            std::span<std::uint64_t> samples)
      : work_(work),
        endpoint_(fmt::format("tcp://127.0.0.1:{}", port)),
        crew_(crew),
        control_(control),
        samples_(samples),
        context_(kIoThreads) {
    context_.set(zmq::ctxopt::max_sockets, static_cast<int>(samples.size() / kCrews + 16));
  }

  void storm() {
    begun_ = Clock::now();
    for (std::size_t number = crew_; number < samples_.size(); number += kCrews) {
      const Clock::time_point due = begun_ + number * 1s / work_.rate;
      while (Clock::now() < due) read_answers(due);
      connect(number, due);
    }
    const Clock::time_point end = Clock::now() + kWelcomePatience;
    while (!waiting_.empty() && Clock::now() < end) read_answers(end);
    while (!control_.over) std::this_thread::sleep_for(kStormPoll);
  }

 private:
  struct Attempt {
    Clock::time_point due;
    zmq::socket_t socket;
  };

  void connect(std::size_t number, Clock::time_point due) {
    const std::string name = fmt::format("storm-{}", number);
    zmq::socket_t socket(context_, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::routing_id, identity_of(name));
    socket.set(zmq::sockopt::linger, 0);
    socket.connect(endpoint_);
    Hello hello;
    hello.instance = random_hex_128();
    hello.software = "zpost-bench storm";
    const ByteBuffer body = encode(hello);
    ByteBuffer frame;
    append_envelope(frame, {.kind = Kind::kHello, .from = name, .body = body});
    socket.send(zmq::buffer(frame.data(), frame.size()), zmq::send_flags::none);
    watch(number, socket);
    Attempt& attempt = waiting_.emplace(number, Attempt{due, std::move(socket)}).first->second;
    take_answer(number, attempt);  // The send may have swallowed the news of it.
  }

  /// Takes the answers that are there, or waits for one until `until` at most. By the descriptors
  /// that libzmq makes readable: zmq_poll asks every socket each time, a millisecond for a
  /// thousand.
  void read_answers(Clock::time_point until) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
    std::array<epoll_event, 64> events = {};
    const int count = epoll_wait(poller_, events.data(), events.size(),
                                 static_cast<int>(std::clamp(left, 0ms, 1000ms).count()));
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
      if (const auto at = waiting_.find(number); at != waiting_.end())
        take_answer(number, at->second);
    }
  }

  void watch(std::size_t number, zmq::socket_t& socket) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = number;
    if (epoll_ctl(poller_, EPOLL_CTL_ADD, socket.get(zmq::sockopt::fd), &event) != 0) {
      throw RunFailure("epoll_ctl failed");
    }
  }

  void take_answer(std::size_t number, Attempt& attempt) {
    zmq::message_t message;
    if (!attempt.socket.recv(message, zmq::recv_flags::dontwait)) return;
    FrameReader reader({static_cast<const std::byte*>(message.data()), message.size()});
    EnvelopeView view;
    if (!reader.next(view)) throw RunFailure("an answer is no envelope");
    const auto now = Clock::now();
    if (view.kind() == Kind::kWelcome) {
      samples_[number] = static_cast<std::uint64_t>((now - attempt.due).count());
      control_.last.store(now.time_since_epoch().count());
      control_.welcomed.fetch_add(1);
    } else {
      control_.refused.fetch_add(1);
    }
    epoll_ctl(poller_, EPOLL_CTL_DEL, attempt.socket.get(zmq::sockopt::fd), nullptr);
    connected_.push_back(std::move(attempt.socket));
    waiting_.erase(number);
  }

  const StormWork& work_;
  std::string endpoint_;
  std::uint32_t crew_;
  StormControl& control_;
  std::span<std::uint64_t> samples_;
  zmq::context_t context_;
  Clock::time_point begun_;
  std::unordered_map<std::size_t, Attempt> waiting_;
  int poller_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<zmq::socket_t> connected_;
};

}  // namespace

StormRun run_storm(const StormWork& work) {
  StormRun run;
  run.wanted = std::uint64_t{work.rate} * work.seconds;
  SharedArray<StormControl> control(1);
  SharedArray<std::uint64_t> samples(run.wanted);
  const auto start = [] { return launch_zpost_broker({}); };
  run.record = conduct_run(start, kCrews, work.timeout, [&](Stage& stage) {
    for (std::uint32_t crew = 0; crew < kCrews; ++crew) {
      stage.clients.add(fmt::format("crew {}", crew), [&, crew](Gate& gate) {
        StormCrew peers(work, stage.server.port(), crew, control[0], samples.all());
        gate.wait_for_start();
        peers.storm();
      });
    }
    stage.clients.start(std::min(stage.deadline, Clock::now() + kStormReadyLimit));
    control[0].first.store(Clock::now().time_since_epoch().count());
    const auto hopeless = Clock::now() + std::chrono::seconds(work.seconds) + kWelcomePatience;
    (void)wait_until(std::min(stage.deadline, hopeless), kStormPoll, [&] {
      stage.check();
      return control[0].welcomed + control[0].refused == run.wanted;
    });
    control[0].over = true;
  });
  run.welcomed = control[0].welcomed;
  run.refused = control[0].refused;
  run.seconds = static_cast<double>(control[0].last - control[0].first) / 1e9;
  std::vector<std::uint64_t> welcomed(samples.all().begin(), samples.all().end());
  std::erase(welcomed, 0U);
  if (!welcomed.empty()) run.milliseconds = percentiles(std::move(welcomed), 1e6);
  return run;
}

}  // namespace zpost::bench
