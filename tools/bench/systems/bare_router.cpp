// A bare ROUTER forwarder: the simplest correct broker that libzmq allows, with DEALER clients.
// Messages are [to][payload] from the sender and [payload] at the recipient.
#include <fmt/core.h>
#include <zmq.h>

#include <cerrno>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/systems.h"
#include "zpost/peer/memory.h"

namespace zpost::bench {
namespace {

// A blocked send looks up this often, since a peer that dies does not wake it.
constexpr int kSendTimeoutMilliseconds = 100;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(fmt::format("{}: {}", what, zmq_strerror(errno)));
}

void check_zmq(int result, const char* what) {
  if (result < 0) fail(what);
}

class Context {
 public:
  Context() : context_(zmq_ctx_new()) { peer::keep_free_memory(); }

  ~Context() { zmq_ctx_term(context_); }

  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  [[nodiscard]] void* get() const { return context_; }

 private:
  void* context_;
};

class Message {
 public:
  Message() { zmq_msg_init(&message_); }

  ~Message() { zmq_msg_close(&message_); }

  Message(const Message&) = delete;
  Message& operator=(const Message&) = delete;

  [[nodiscard]] zmq_msg_t* get() { return &message_; }

  [[nodiscard]] std::span<const std::byte> bytes() {
    return {static_cast<const std::byte*>(zmq_msg_data(&message_)), zmq_msg_size(&message_)};
  }

 private:
  zmq_msg_t message_ = {};
};

class Socket {
 public:
  Socket(const Context& context, int type, int high_water_mark)
      : socket_(zmq_socket(context.get(), type)) {
    if (socket_ == nullptr) fail("socket");
    set(ZMQ_SNDHWM, high_water_mark);
    set(ZMQ_RCVHWM, high_water_mark);
  }

  ~Socket() { zmq_close(socket_); }  // The context waits until what was sent has left.

  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] void* get() const { return socket_; }

  void set(int option, int value) {
    check_zmq(zmq_setsockopt(socket_, option, &value, sizeof(value)), "socket option");
  }

  void send(std::span<const std::byte> bytes, int flags) {
    check_zmq(zmq_send(socket_, bytes.data(), bytes.size(), flags), "send");
  }

  void send(std::string_view text, int flags) { send(std::as_bytes(std::span(text)), flags); }

  void receive(Message& message) { check_zmq(zmq_msg_recv(message.get(), socket_, 0), "receive"); }

 private:
  void* socket_;
};

std::uint16_t bind_to_free_port(const Socket& socket) {
  check_zmq(zmq_bind(socket.get(), "tcp://127.0.0.1:*"), "bind");
  std::vector<char> endpoint(256);
  std::size_t size = endpoint.size();
  check_zmq(zmq_getsockopt(socket.get(), ZMQ_LAST_ENDPOINT, endpoint.data(), &size), "endpoint");
  const std::string text(endpoint.data());
  return static_cast<std::uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

// Sends one part, waiting for room as long as it takes. False: nobody has that name.
bool send_to_peer(const Socket& router, Message& part, int flags) {
  while (zmq_msg_send(part.get(), router.get(), flags) < 0) {
    if (errno == EHOSTUNREACH) return false;
    if (errno != EAGAIN && errno != EINTR) fail("forward");
  }
  return true;
}

[[noreturn]] void forward_for_ever(int high_water_mark, const ReportPort& report_port) {
  const Context context;
  Socket router(context, ZMQ_ROUTER, high_water_mark);
  router.set(ZMQ_ROUTER_MANDATORY, 1);
  router.set(ZMQ_SNDTIMEO, kSendTimeoutMilliseconds);
  report_port(bind_to_free_port(router));
  Message from;
  Message to;
  Message payload;
  while (true) {
    router.receive(from);
    router.receive(to);
    router.receive(payload);
    if (send_to_peer(router, to, ZMQ_SNDMORE)) send_to_peer(router, payload, 0);
  }
}

// Connects as `name` and waits until a message to oneself has come back: from then on the
// forwarder knows the name.
void join_as(const std::string& name, std::uint16_t port, Socket& dealer) {
  check_zmq(zmq_setsockopt(dealer.get(), ZMQ_ROUTING_ID, name.data(), name.size()), "identity");
  check_zmq(zmq_connect(dealer.get(), fmt::format("tcp://127.0.0.1:{}", port).c_str()), "connect");
  dealer.send(name, ZMQ_SNDMORE);
  dealer.send("hello", 0);
  Message hello;
  dealer.receive(hello);
}

class RouterRingPeer final : public RingPeer {
 public:
  RouterRingPeer(const RingSeat& seat, const Context& context, int high_water_mark,
                 PayloadSink& sink)
      : next_(name_of(seat.next())), sink_(sink), dealer_(context, ZMQ_DEALER, high_water_mark) {
    dealer_.set(ZMQ_RCVTIMEO, kRingPatienceMilliseconds);
    join_as(name_of(seat.number), seat.port, dealer_);
  }

  void send(std::span<const std::byte> payload) override {
    dealer_.send(next_, ZMQ_SNDMORE);
    dealer_.send(payload, 0);
  }

  void receive() override {
    dealer_.receive(message_);
    sink_.accept(message_.bytes());
  }

  void attend() override {}  // A bare ROUTER asks nothing.

 private:
  static std::string name_of(std::uint32_t number) { return fmt::format("peer-{}", number); }

  std::string next_;
  PayloadSink& sink_;
  Socket dealer_;
  Message message_;
};

class BareRouter final : public System {
 public:
  explicit BareRouter(int high_water_mark)
      : high_water_mark_(high_water_mark),
        name_(fmt::format("router-hwm{}", high_water_mark)),
        description_(fmt::format("bare ROUTER forwarder, DEALER clients, libzmq, HWM {}",
                                 high_water_mark)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }

  [[nodiscard]] std::string_view description() const override { return description_; }

  [[nodiscard]] std::optional<std::string> unavailable() const override { return std::nullopt; }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kThroughput || measure == Measure::kLatency ||
           measure == Measure::kMemory || measure == Measure::kStall;
  }

  [[nodiscard]] Server start() const override {
    return launch_function(
        [this](const ReportPort& report) { forward_for_ever(high_water_mark_, report); });
  }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    const Context context;
    Socket dealer(context, ZMQ_DEALER, high_water_mark_);
    join_as(fmt::format("s{}", part.pair), part.port, dealer);
    const std::string to = fmt::format("r{}", part.pair);
    std::vector<std::byte> payload(part.payload_bytes);
    gate.wait_for_start();
    while (source.next(payload)) {
      dealer.send(to, ZMQ_SNDMORE);
      dealer.send(payload, 0);
    }
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    const Context context;
    Socket dealer(context, ZMQ_DEALER, high_water_mark_);
    join_as(fmt::format("r{}", part.pair), part.port, dealer);
    gate.ready();
    Message message;
    while (!sink.complete()) {
      dealer.receive(message);
      sink.accept(message.bytes());
    }
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    const Context context;
    Socket dealer(context, ZMQ_DEALER, high_water_mark_);
    join_as("pinger", part.port, dealer);
    gate.wait_for_start();
    Message message;
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      dealer.send("echoer", ZMQ_SNDMORE);
      dealer.send(payload, 0);
      dealer.receive(message);
      trips.end(message.bytes());
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    const Context context;
    Socket dealer(context, ZMQ_DEALER, high_water_mark_);
    join_as("echoer", part.port, dealer);
    gate.ready();
    Message message;
    while (true) {
      dealer.receive(message);
      dealer.send("pinger", ZMQ_SNDMORE);
      check_zmq(zmq_msg_send(message.get(), dealer.get(), 0), "send");
    }
  }

  [[nodiscard]] std::unique_ptr<RingPeer> join(const RingSeat& seat,
                                               PayloadSink& sink) const override {
    // One for all peers of the process, and for as long as it runs.
    static const Context context;
    return std::make_unique<RouterRingPeer>(seat, context, high_water_mark_, sink);
  }

 private:
  int high_water_mark_;
  std::string name_;
  std::string description_;
};

}  // namespace

std::unique_ptr<System> make_bare_router(int high_water_mark) {
  return std::make_unique<BareRouter>(high_water_mark);
}

}  // namespace zpost::bench
