// NATS core: nats-server with the C client, libnats.
#include <fmt/core.h>
#include <malloc.h>
#include <nats/nats.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/systems.h"

namespace zpost::bench {
namespace {

constexpr const char* kNatsServer = "nats-server";
constexpr std::int64_t kFlushMilliseconds = 60'000;
constexpr int kNatsBufferBytes =
    64 * 1024;  // Twice the default was somewhat faster; more was not (tried).

// Large limits, so that nothing is dropped for a client that falls behind for a moment.
constexpr const char* kNatsConfig = R"(
listen: "127.0.0.1:{}"
max_pending: {}MB
max_payload: 8MB
write_deadline: "{}s"
)";
constexpr std::uint64_t kMaxPendingMegabytes = 512;
constexpr std::int64_t kWriteDeadlineSeconds = 60;

void check(natsStatus status, const char* what) {
  if (status != NATS_OK) {
    throw std::runtime_error(fmt::format("{}: {}", what, natsStatus_GetText(status)));
  }
}

struct Destroy {
  void operator()(natsOptions* options) const { natsOptions_Destroy(options); }

  void operator()(natsConnection* connection) const { natsConnection_Destroy(connection); }

  void operator()(natsSubscription* subscription) const { natsSubscription_Destroy(subscription); }

  void operator()(natsMsg* message) const { natsMsg_Destroy(message); }
};

template <typename T>
using Owned = std::unique_ptr<T, Destroy>;

// The library allocates every message in one thread and frees it in another. With a heap for each
// thread, which glibc grows page by page, that cost a third of the rate (tried); one heap that
// keeps what it has is the fair setting.
void use_one_heap() {
  // NOLINTBEGIN(concurrency-mt-unsafe): before the library starts its threads.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  // NOLINTEND(concurrency-mt-unsafe)
}

enum class Flush { kBatched, kAtOnce };

Owned<natsConnection> connect(const Part& part, Flush flush) {
  use_one_heap();
  natsOptions* raw_options = nullptr;
  check(natsOptions_Create(&raw_options), "options");
  const Owned<natsOptions> options(raw_options);
  const std::string url = fmt::format("nats://127.0.0.1:{}", part.port);
  check(natsOptions_SetURL(options.get(), url.c_str()), "url");
  check(natsOptions_SetAllowReconnect(options.get(), false), "reconnect");
  check(natsOptions_SetIOBufSize(options.get(), kNatsBufferBytes), "buffer size");
  check(natsOptions_SetSendAsap(options.get(), flush == Flush::kAtOnce), "send asap");

  natsConnection* connection = nullptr;
  check(natsConnection_Connect(&connection, options.get()), "connect");
  return Owned<natsConnection>(connection);
}

// After this the server has processed all that was sent before.
void flush(natsConnection* connection) {
  check(natsConnection_FlushTimeout(connection, kFlushMilliseconds), "flush");
}

// To be read with next_message(): no slower here than asynchronous delivery (tried).
Owned<natsSubscription> subscribe(natsConnection* connection, const std::string& subject) {
  natsSubscription* raw = nullptr;
  check(natsConnection_SubscribeSync(&raw, connection, subject.c_str()), "subscribe");
  Owned<natsSubscription> subscription(raw);
  check(natsSubscription_SetPendingLimits(raw, -1, -1), "pending limits");
  flush(connection);
  return subscription;
}

std::span<const std::byte> body_of(const natsMsg* message) {
  return {reinterpret_cast<const std::byte*>(natsMsg_GetData(message)),
          static_cast<std::size_t>(natsMsg_GetDataLength(message))};
}

void publish(natsConnection* connection, const char* subject, std::span<const std::byte> body) {
  check(natsConnection_Publish(connection, subject, body.data(), static_cast<int>(body.size())),
        "publish");
}

Owned<natsMsg> next_message(natsSubscription* subscription) {
  natsMsg* message = nullptr;
  check(natsSubscription_NextMsg(&message, subscription, kFlushMilliseconds), "next message");
  return Owned<natsMsg>(message);
}

class Nats final : public System {
 public:
  [[nodiscard]] std::string_view name() const override { return "nats"; }

  [[nodiscard]] std::string_view description() const override {
    return "NATS core: nats-server, libnats";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program(kNatsServer);
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure != Measure::kMemory && measure != Measure::kAmplification;
  }

  [[nodiscard]] bool limits_memory() const override { return true; }

  [[nodiscard]] Server start() const override {
    return launch(kMaxPendingMegabytes, kWriteDeadlineSeconds);
  }

  // The limit is that of one client's buffer; silent is who does not read what is written to it.
  [[nodiscard]] Server start_within(const Limits& limits) const override {
    const auto silence = std::chrono::ceil<std::chrono::seconds>(limits.silence);
    return launch(limits.memory_bytes >> 20, silence.count());
  }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    const auto connection = connect(part, Flush::kBatched);
    const std::string subject = fmt::format("r{}", part.pair);
    std::vector<std::byte> payload(part.payload_bytes);
    gate.wait_for_start();
    while (source.next(payload)) bench::publish(connection.get(), subject.c_str(), payload);
    flush(connection.get());
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    const auto connection = connect(part, Flush::kBatched);
    const auto subscription = bench::subscribe(connection.get(), fmt::format("r{}", part.pair));
    gate.ready();
    while (!sink.complete()) sink.accept(body_of(next_message(subscription.get()).get()));
  }

  void flood(const Part& part, Gate& gate, std::span<PayloadSource> sources) const override {
    const auto connection = connect(part, Flush::kBatched);
    std::vector<std::string> subjects;
    for (std::size_t to = 0; to < sources.size(); ++to) subjects.push_back(fmt::format("r{}", to));
    std::vector<std::byte> payload(part.payload_bytes);
    gate.wait_for_start();
    for (bool any = true; any;) {
      any = false;
      for (std::size_t to = 0; to < sources.size(); ++to) {
        if (!sources[to].next(payload)) continue;
        bench::publish(connection.get(), subjects[to].c_str(), payload);
        any = true;
      }
    }
    flush(connection.get());
  }

  void publish(const Part& part, Gate& gate, PayloadSource& source) const override {
    const auto connection = connect(part, Flush::kBatched);
    std::vector<std::string> subjects;
    for (std::uint32_t topic = 0; topic < part.topics; ++topic) {
      subjects.push_back(fmt::format("load.{}.{}", part.pair, topic));
    }
    std::vector<std::byte> payload(part.payload_bytes);
    gate.wait_for_start();
    for (std::size_t topic = 0; source.next(payload); topic = (topic + 1) % subjects.size()) {
      bench::publish(connection.get(), subjects[topic].c_str(), payload);
    }
    flush(connection.get());
  }

  void subscribe(const Part& part, Gate& gate, PayloadSink& sink) const override {
    const auto connection = connect(part, Flush::kBatched);
    const auto subscription =
        bench::subscribe(connection.get(), fmt::format("load.{}.*", part.pair));
    gate.ready();
    while (!sink.complete()) sink.accept(body_of(next_message(subscription.get()).get()));
  }

  void work(const Part& part, Gate& gate) const override {
    const auto connection = connect(part, Flush::kBatched);
    natsSubscription* raw = nullptr;
    check(natsConnection_QueueSubscribeSync(&raw, connection.get(), "service", "workers"),
          "queue subscribe");
    const Owned<natsSubscription> subscription(raw);
    check(natsSubscription_SetPendingLimits(raw, -1, -1), "pending limits");
    flush(connection.get());
    gate.ready();
    while (true) {
      const auto request = next_message(raw);
      bench::publish(connection.get(), natsMsg_GetReply(request.get()), body_of(request.get()));
    }
  }

  void call(const Part& part, Gate& gate, PayloadSource& source, PayloadSink& sink) const override {
    const auto connection = connect(part, Flush::kBatched);
    const std::string inbox = fmt::format("_INBOX.caller{}", part.pair);
    const auto subscription = bench::subscribe(connection.get(), inbox);
    std::vector<std::byte> payload(part.payload_bytes);
    std::uint32_t in_flight = 0;
    gate.wait_for_start();
    while (true) {
      while (in_flight < part.in_flight && source.next(payload)) {
        check(natsConnection_PublishRequest(connection.get(), "service", inbox.c_str(),
                                            payload.data(), static_cast<int>(payload.size())),
              "request");
        ++in_flight;
      }
      if (in_flight == 0) return;
      sink.accept(body_of(next_message(subscription.get()).get()));
      --in_flight;
    }
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    const auto connection = connect(part, Flush::kAtOnce);
    const auto subscription = bench::subscribe(connection.get(), fmt::format("pong{}", part.pair));
    const std::string to = fmt::format("ping{}", part.pair);
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      bench::publish(connection.get(), to.c_str(), payload);
      trips.end(body_of(next_message(subscription.get()).get()));
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    const auto connection = connect(part, Flush::kAtOnce);
    const auto subscription = bench::subscribe(connection.get(), fmt::format("ping{}", part.pair));
    const std::string to = fmt::format("pong{}", part.pair);
    gate.ready();
    while (true) {
      bench::publish(connection.get(), to.c_str(), body_of(next_message(subscription.get()).get()));
    }
  }

 private:
  static Server launch(std::uint64_t max_pending_megabytes, std::int64_t write_deadline_seconds) {
    const auto arguments = [=](std::uint16_t port, const std::filesystem::path& directory) {
      const std::filesystem::path config = directory / "nats.conf";
      write_file(config,
                 fmt::format(kNatsConfig, port, max_pending_megabytes, write_deadline_seconds));
      return std::vector<std::string>{"--config", config};
    };
    return launch_program(kNatsServer, arguments);
  }
};

}  // namespace

std::unique_ptr<System> make_nats() {
  return std::make_unique<Nats>();
}

}  // namespace zpost::bench
