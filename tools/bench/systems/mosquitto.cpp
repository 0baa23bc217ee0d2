// Mosquitto, MQTT QoS 0: mosquitto with its C client, libmosquitto.
#include <fmt/core.h>
#include <mosquitto.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/systems.h"

namespace zpost::bench {
namespace {

constexpr const char* kMosquittoServer = "mosquitto";
constexpr int kQos = 0;
constexpr int kKeepAliveSeconds = 600;  // Longer than any run: no pings between the messages.
constexpr int kPollMilliseconds = 100;
constexpr int kOnePacket = 1;

// Queues without limits, so that nothing is dropped for a client that falls behind for a moment.
// As root it would become another user, and with that lose its bond to the bench's life.
constexpr const char* kMosquittoConfig = R"(
listener {} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
max_queued_bytes {}
set_tcp_nodelay true
{}
)";

void check_mosquitto(int status, const char* what) {
  if (status != MOSQ_ERR_SUCCESS) {
    throw std::runtime_error(fmt::format("{}: {}", what, mosquitto_strerror(status)));
  }
}

// One connection, driven by its owner's thread alone.
class Client {
 public:
  using OnMessage = std::function<void(std::span<const std::byte>)>;

  explicit Client(const Part& part) : client_(mosquitto_new(nullptr, true, this)) {
    if (!client_) throw std::runtime_error("no memory");
    check_mosquitto(mosquitto_int_option(client_.get(), MOSQ_OPT_TCP_NODELAY, 1), "nodelay");
    mosquitto_connect_callback_set(client_.get(), [](mosquitto*, void* self, int refused) {
      static_cast<Client*>(self)->connected_ = refused == 0;
    });
    mosquitto_subscribe_callback_set(client_.get(),
                                     [](mosquitto*, void* self, int, int, const int*) {
                                       static_cast<Client*>(self)->subscribed_ = true;
                                     });
    mosquitto_message_callback_set(client_.get(),
                                   [](mosquitto*, void* self, const mosquitto_message* message) {
                                     static_cast<Client*>(self)->deliver(*message);
                                   });
    check_mosquitto(mosquitto_connect(client_.get(), "127.0.0.1", part.port, kKeepAliveSeconds),
                    "connect");
    while (!connected_) turn();
  }

  // Blocks until the server has confirmed the subscription.
  void subscribe(const std::string& topic, OnMessage on_message) {
    on_message_ = std::move(on_message);
    check_mosquitto(mosquitto_subscribe(client_.get(), nullptr, topic.c_str(), kQos), "subscribe");
    while (!subscribed_) turn();
  }

  // Blocks while the socket is full: libmosquitto itself would queue without bound.
  void publish(const char* topic, std::span<const std::byte> body) {
    check_mosquitto(mosquitto_publish(client_.get(), nullptr, topic, static_cast<int>(body.size()),
                                      body.data(), kQos, false),
                    "publish");
    while (mosquitto_want_write(client_.get())) turn();
  }

  // Reads packets until one was a message, sleeping only when there is nothing to read.
  // (mosquitto_loop() would call select() for every packet.)
  void receive_message() {
    const std::uint64_t before = delivered_;
    while (true) {
      check_mosquitto(mosquitto_loop_read(client_.get(), kOnePacket), "read");
      if (delivered_ != before) return;
      pollfd readable = {.fd = mosquitto_socket(client_.get()), .events = POLLIN, .revents = 0};
      poll(&readable, 1, kPollMilliseconds);
    }
  }

  // Says goodbye behind all that was published.
  void disconnect() { check_mosquitto(mosquitto_disconnect(client_.get()), "disconnect"); }

 private:
  struct Destroy {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };

  void turn() {
    check_mosquitto(mosquitto_loop(client_.get(), kPollMilliseconds, kOnePacket), "loop");
  }

  void deliver(const mosquitto_message& message) {
    ++delivered_;
    on_message_({static_cast<const std::byte*>(message.payload),
                 static_cast<std::size_t>(message.payloadlen)});
  }

  std::unique_ptr<mosquitto, Destroy> client_;
  OnMessage on_message_;
  bool connected_ = false;
  bool subscribed_ = false;
  std::uint64_t delivered_ = 0;
};

class Mosquitto final : public System {
 public:
  [[nodiscard]] std::string_view name() const override { return "mosquitto"; }

  [[nodiscard]] std::string_view description() const override {
    return "Mosquitto, MQTT QoS 0: mosquitto, libmosquitto";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program(kMosquittoServer);
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kThroughput || measure == Measure::kLatency ||
           measure == Measure::kStall;
  }

  [[nodiscard]] bool limits_memory() const override { return true; }

  [[nodiscard]] Server start() const override { return launch(0); }

  // The limit is that of one client's queue.
  [[nodiscard]] Server start_within(const Limits& limits) const override {
    return launch(limits.memory_bytes);
  }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    mosquitto_lib_init();
    Client client(part);
    const std::string topic = fmt::format("r{}", part.pair);
    std::vector<std::byte> payload(part.payload_bytes);
    gate.wait_for_start();
    while (source.next(payload)) client.publish(topic.c_str(), payload);
    client.disconnect();
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    mosquitto_lib_init();
    Client client(part);
    client.subscribe(fmt::format("r{}", part.pair),
                     [&](std::span<const std::byte> body) { sink.accept(body); });
    gate.ready();
    while (!sink.complete()) client.receive_message();
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    mosquitto_lib_init();
    Client client(part);
    client.subscribe("pong", [&](std::span<const std::byte> body) { trips.end(body); });
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      client.publish("ping", payload);
      client.receive_message();
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    mosquitto_lib_init();
    Client client(part);
    // Not published in the callback: libmosquitto would only queue it there.
    std::vector<std::byte> payload;
    client.subscribe(
        "ping", [&](std::span<const std::byte> body) { payload.assign(body.begin(), body.end()); });
    gate.ready();
    while (true) {
      client.receive_message();
      client.publish("pong", payload);
    }
  }

 private:
  static Server launch(std::uint64_t max_queued_bytes) {
    const auto arguments = [&](std::uint16_t port, const std::filesystem::path& directory) {
      const std::filesystem::path config = directory / "mosquitto.conf";
      const char* const user = geteuid() == 0 ? "user root" : "";
      write_file(config, fmt::format(kMosquittoConfig, port, max_queued_bytes, user));
      return std::vector<std::string>{"-c", config};
    };
    return launch_program(kMosquittoServer, arguments);
  }
};

}  // namespace

std::unique_ptr<System> make_mosquitto() {
  return std::make_unique<Mosquitto>();
}

}  // namespace zpost::bench
