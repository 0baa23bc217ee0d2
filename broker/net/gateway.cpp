#include "broker/net/gateway.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "broker/net/hoarders.h"
#include "broker/net/self_test.h"

namespace zpost::net {

namespace {

// Beyond its credit a peer may have this on its way: control, and frames not yet refused.
constexpr std::uint64_t kHoardingSlack = 4 << 20;
// Heartbeats that a connection may have sent before they are known to be none of its frames.
constexpr std::uint64_t kUnknownHeartbeats = 1 << 20;

/// Of a part of two bytes libzmq makes sixty-four: no more than need be where credit is no reason.
HoardingLimits hoarding_limits(const core::Limits& limits) {
  // One unfinished frame; and what was learnt of heartbeats may fall short by another.
  const std::uint64_t frames = 2 * limits.max_frame();
  return {.unread = limits.credit_max + frames + kHoardingSlack,
          .stranger = frames + kHoardingSlack,
          .stuck = frames + kUnknownHeartbeats};
}

/// Memory to keep for its next use: little of a small limit.
std::size_t idle_bytes(const core::Limits& limits) {
  return std::min<std::size_t>(ChunkPool::kDefaultIdleBytes, limits.memory / 8);
}

}  // namespace

Gateway::Gateway(const SocketSettings& settings, const core::Limits& limits, int other_fd)
    : limits_(limits),
      pool_(idle_bytes(limits)),
      socket_(settings, limits),
      monitor_(socket_.context(), socket_.handle(), wake_),
      connections_(2 * limits.peers),
      receiver_(socket_, connections_, monitor_),
      executor_(socket_, connections_, monitor_, pool_),
      waiter_(socket_, receiver_, wake_, other_fd) {}

Result<void> Gateway::check() {
  return self_test(socket_.context());
}

Result<std::string> Gateway::listen(const Endpoint& endpoint) {
  return socket_.bind(endpoint);
}

Incoming Gateway::receive(core::Now now) {
  Incoming incoming = receiver_.receive(now.steady_ns);
  if (incoming.kind == Incoming::Kind::kDry) dry_at_ = now.steady_ns;
  return incoming;
}

std::span<const ConnectionId> Gateway::take_gone(core::Now now) {
  gone_.clear();
  if (monitor_.pending()) receiver_.collect_events();
  connections_.take_gone(now.steady_ns, gone_);
  return gone_;
}

std::span<const ConnectionId> Gateway::keep_house(core::Now now) {
  forgotten_.clear();
  connections_.forget_gone(now.steady_ns, dry_at_, forgotten_);
  executor_.trim();
  pool_.trim();
  next_look_ = look_around(connections_, next_look_, receiver_.dries());
  report_failures();
  return forgotten_;
}

void Gateway::expel_hoarders(core::Now now) {
  receiver_.collect_events();
  const HoardingLimits limits = hoarding_limits(limits_);
  for (const Hoarder& hoarder : find_hoarders(connections_, limits, receiver_.dries())) {
    monitor_.expel(hoarder.fd, hoarder.generation, now.steady_ns);
    const std::string_view name =
        hoarder.connection == kNone ? "?" : connections_[hoarder.connection].name;
    say(core::LogLine::Level::kWarning,
        fmt::format(
            "expelled name={} why=\"{} bytes came from it that cannot be read: a message of "
            "endless parts?\"",
            name, hoarder.bytes));
  }
}

void Gateway::close(int linger_ms) {
  monitor_.stop();
  socket_.close(linger_ms);
}

std::vector<core::LogLine> Gateway::take_log() {
  return std::exchange(log_, {});
}

void Gateway::say(core::LogLine::Level level, std::string text) {
  log_.push_back({level, std::move(text)});
}

/// What to do if it is the limit of open files; told once.
std::string Gateway::file_limit_hint(int error) {
  if (error != EMFILE || std::exchange(told_file_limit_, true)) return {};
  return fmt::format(
      " open_files={} peers={}: peers cannot connect; raise the limit of open files (ulimit -n), "
      "or lower limits.peers",
      ::sysconf(_SC_OPEN_MAX), limits_.peers);
}

/// Called about once a second, so that a storm of failures is one line.
void Gateway::report_failures() {
  using Level = core::LogLine::Level;
  const ConnectionFailures failures = monitor_.failures();
  if (const auto count = failures.accepts - reported_.accepts; count > 0) {
    say(Level::kWarning,
        fmt::format("accept_failed count={} why=\"{}\"{}", count,
                    std::strerror(failures.accept_error), file_limit_hint(failures.accept_error)));
  }
  if (const auto count = failures.handshakes - reported_.handshakes; count > 0) {
    say(Level::kDebug, fmt::format("handshake_failed count={}", count));
  }
  if (const auto count = receiver_.refused() - reported_refused_; count > 0) {
    say(Level::kWarning,
        fmt::format(
            "connection_refused count={} why=\"the table of {} connections is full: it holds "
            "twice limits.peers, which is {}\"",
            count, connections_.limit(), limits_.peers));
  }
  reported_ = failures;
  reported_refused_ = receiver_.refused();
}

}  // namespace zpost::net
