// Redis pub/sub: redis-server with the C client, hiredis, and pipelined publishes.
#include <fmt/core.h>
#include <hiredis/hiredis.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <vector>

#include "tools/bench/systems/systems.h"

namespace zpost::bench {
namespace {

constexpr const char* kRedisServer = "redis-server";
constexpr std::size_t kMaxBatchMessages = 512;  // Two batches are in the pipeline.
constexpr std::size_t kMaxBatchBytes = std::size_t{256} * 1024;

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }

  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};

using Connection = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

void check(int result, const Connection& connection) {
  if (result != REDIS_OK) throw std::runtime_error(connection->errstr);
}

Connection connect(const Part& part) {
  Connection connection(redisConnect("127.0.0.1", part.port));
  if (!connection) throw std::runtime_error("no memory");
  check(connection->err, connection);
  return connection;
}

// Blocks. What was appended before is sent first.
Reply next_reply(const Connection& connection) {
  void* raw = nullptr;
  check(redisGetReply(connection.get(), &raw), connection);
  Reply reply(static_cast<redisReply*>(raw));
  if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(reply->str);
  return reply;
}

void subscribe(const Connection& connection, const std::string& channel) {
  check(redisAppendCommand(connection.get(), "SUBSCRIBE %s", channel.c_str()), connection);
  next_reply(connection);
}

std::span<const std::byte> body_of(const Reply& reply) {
  if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) {
    throw std::runtime_error("not a message");
  }
  const redisReply& body = *reply->element[2];
  return {reinterpret_cast<const std::byte*>(body.str), static_cast<std::size_t>(body.len)};
}

void write_out(const Connection& connection) {
  int done = 0;
  while (done == 0) check(redisBufferWrite(connection.get(), &done), connection);
}

// PUBLISH commands for one channel, back to back. Only the bodies change from batch to batch, so
// formatting costs the client nothing: the most that Redis can ask of a publisher.
class PublishBatch {
 public:
  PublishBatch(const std::string& channel, std::size_t body_bytes, std::size_t messages)
      : head_(fmt::format("*3\r\n$7\r\nPUBLISH\r\n${}\r\n{}\r\n${}\r\n", channel.size(), channel,
                          body_bytes)),
        body_bytes_(body_bytes) {
    for (std::size_t i = 0; i < messages; ++i) {
      commands_ += head_;
      commands_.append(body_bytes, '\0');
      commands_ += "\r\n";
    }
  }

  [[nodiscard]] std::size_t messages() const { return commands_.size() / command_bytes(); }

  [[nodiscard]] std::span<std::byte> body(std::size_t index) {
    char* const start = commands_.data() + index * command_bytes() + head_.size();
    return {reinterpret_cast<std::byte*>(start), body_bytes_};
  }

  void append(std::size_t messages, const Connection& connection) const {
    check(
        redisAppendFormattedCommand(connection.get(), commands_.data(), messages * command_bytes()),
        connection);
  }

 private:
  [[nodiscard]] std::size_t command_bytes() const { return head_.size() + body_bytes_ + 2; }

  std::string head_;
  std::size_t body_bytes_;
  std::string commands_;
};

std::size_t fill(PublishBatch& batch, PayloadSource& source) {
  std::size_t count = 0;
  while (count < batch.messages() && source.next(batch.body(count))) ++count;
  return count;
}

class Redis final : public System {
 public:
  [[nodiscard]] std::string_view name() const override { return "redis"; }

  [[nodiscard]] std::string_view description() const override {
    return "Redis pub/sub: redis-server, hiredis, pipelined publishes";
  }

  [[nodiscard]] std::optional<std::string> unavailable() const override {
    return missing_program(kRedisServer);
  }

  [[nodiscard]] bool measures(Measure measure) const override {
    return measure == Measure::kThroughput || measure == Measure::kLatency ||
           measure == Measure::kStall;
  }

  [[nodiscard]] bool limits_memory() const override { return true; }

  // Without limits, so that nobody is cut off for being slow.
  [[nodiscard]] Server start() const override { return launch(0); }

  // The limit is that of one client's buffer.
  [[nodiscard]] Server start_within(const Limits& limits) const override {
    return launch(limits.memory_bytes);
  }

  void send(const Part& part, Gate& gate, PayloadSource& source) const override {
    const Connection connection = connect(part);
    const std::size_t fitting = std::max<std::size_t>(kMaxBatchBytes / part.payload_bytes, 1);
    PublishBatch batch(fmt::format("r{}", part.pair), part.payload_bytes,
                       std::min(kMaxBatchMessages, fitting));
    gate.wait_for_start();
    std::size_t unanswered = 0;
    while (const std::size_t count = fill(batch, source)) {
      batch.append(count, connection);
      write_out(connection);
      for (; unanswered > 0; --unanswered) next_reply(connection);  // Those of the batch before.
      unanswered = count;
    }
    for (; unanswered > 0; --unanswered) next_reply(connection);
  }

  void receive(const Part& part, Gate& gate, PayloadSink& sink) const override {
    const Connection connection = connect(part);
    bench::subscribe(connection, fmt::format("r{}", part.pair));
    gate.ready();
    while (!sink.complete()) sink.accept(body_of(next_reply(connection)));
  }

  void ping(const Part& part, Gate& gate, RoundTrips& trips) const override {
    const Connection publisher = connect(part);
    const Connection subscriber = connect(part);
    bench::subscribe(subscriber, "pong");
    PublishBatch message("ping", part.payload_bytes, 1);
    gate.wait_for_start();
    for (auto payload = trips.begin(); !payload.empty(); payload = trips.begin()) {
      publish(publisher, message, payload);
      trips.end(body_of(next_reply(subscriber)));
      next_reply(publisher);
    }
  }

  void echo(const Part& part, Gate& gate) const override {
    const Connection publisher = connect(part);
    const Connection subscriber = connect(part);
    bench::subscribe(subscriber, "ping");
    PublishBatch message("pong", part.payload_bytes, 1);
    gate.ready();
    while (true) {
      const Reply request = next_reply(subscriber);
      publish(publisher, message, body_of(request));
      next_reply(publisher);
    }
  }

 private:
  static Server launch(std::uint64_t buffer_bytes) {
    const auto arguments = [&](std::uint16_t port, const std::filesystem::path& directory) {
      return std::vector<std::string>{"--bind",
                                      "127.0.0.1",
                                      "--port",
                                      std::to_string(port),
                                      "--dir",
                                      directory,
                                      "--save",
                                      "",
                                      "--appendonly",
                                      "no",
                                      "--client-output-buffer-limit",
                                      fmt::format("pubsub {} 0 0", buffer_bytes)};
    };
    return launch_program(kRedisServer, arguments);
  }

  static void publish(const Connection& connection, PublishBatch& message,
                      std::span<const std::byte> body) {
    std::ranges::copy(body.first(message.body(0).size()), message.body(0).begin());
    message.append(1, connection);
    write_out(connection);
  }
};

}  // namespace

std::unique_ptr<System> make_redis() {
  return std::make_unique<Redis>();
}

}  // namespace zpost::bench
