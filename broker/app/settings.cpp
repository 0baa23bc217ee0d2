// The table of settings.
#include <array>

#include "broker/app/config.h"

namespace zpost::app {

namespace {

using Unit = Setting::Unit;

constexpr std::uint64_t kKiB = 1 << 10;
constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;
constexpr std::uint64_t kMs = core::kMillisecond;
constexpr std::uint64_t kSec = core::kSecond;
constexpr std::uint64_t kHour = 3'600 * kSec;

template <auto kMember>
auto& limit(Config& config) {
  return config.limits.*kMember;
}

template <auto kMember>
auto& member(Config& config) {
  return config.*kMember;
}

using core::Limits;

// One table, however long. NOLINTNEXTLINE(readability-function-size)
std::vector<Setting> make_settings() {
  return {
      {"broker", "listen", "listen", "where peers connect: tcp://ADDRESS:PORT or ipc://PATH",
       Setting::Texts{member<&Config::listen>}},
      {"broker", "insecure", "insecure",
       "allow endpoints that other machines can reach; nobody is authenticated yet",
       Setting::Switch{member<&Config::insecure>}},
      {"broker", "name", "name", "what peers are told the broker is called",
       Setting::Text{member<&Config::name>}},
      {"broker", "state", "state",
       "file with the floor of ids, so that none is given twice; empty: one per endpoint in the "
       "user's state directory",
       Setting::Text{member<&Config::state>}},
      {"broker", "io_threads", "io-threads",
       "threads of libzmq; one moves about a gigabyte a second",
       Setting::Count{member<&Config::io_threads>}, Unit::kNone, 1, 16},
      {"broker", "drain_time", "drain-time",
       "how long a stopping broker waits for acknowledgements",
       Setting::Duration{member<&Config::drain_time_ns>}, Unit::kNone, 0, kHour},

      {"log",
       "level",
       "log-level",
       "least important lines to write",
       Setting::Text{member<&Config::log_level>},
       Unit::kNone,
       0,
       0,
       {"debug", "info", "warning", "error", "off"},
       {{"warn", "warning"}}},
      {"log",
       "format",
       "log-format",
       "text for people, or one JSON object a line",
       Setting::Text{member<&Config::log_format>},
       Unit::kNone,
       0,
       0,
       {"text", "json"}},
      {"log", "file", "log-file", "file to append to; empty: standard error",
       Setting::Text{member<&Config::log_file>}},

      {"recorder", "memory", "recorder",
       "what the flight recorder may keep of the latest events, beside limits.memory; 0: nothing",
       Setting::Count{member<&Config::recorder_memory>}, Unit::kBytes, 0, 64 * kGiB},

      {"admin", "listen", "admin",
       "where metrics and health are served over HTTP: ADDRESS:PORT; auto: 127.0.0.1:12340 unless "
       "that is taken; empty: nowhere",
       Setting::Text{member<&Config::admin_listen>}},

      {"limits", "memory", "memory",
       "all the broker may use; half of it may be granted as credit or held for recipients",
       Setting::Count{limit<&Limits::memory>}, Unit::kBytes, 16 * kMiB, 4096 * kGiB},
      {"limits", "max_envelope", "max-envelope", "largest envelope, encoded",
       Setting::Count{limit<&Limits::max_envelope>}, Unit::kBytes, kKiB, 256 * kMiB},
      {"limits", "peers", "peers", "peers at a time", Setting::Count{limit<&Limits::peers>},
       Unit::kNone, 1, 1'000'000},
      {"limits", "queue", "queue", "bytes waiting or unacknowledged per recipient",
       Setting::Count{limit<&Limits::queue>}, Unit::kBytes, 64 * kKiB, 1024 * kGiB},
      {"limits", "window", "window", "unacknowledged bytes per recipient",
       Setting::Count{limit<&Limits::window>}, Unit::kBytes, 64 * kKiB, kGiB},
      {"limits", "window_frames", "", "unacknowledged frames per recipient",
       Setting::Count{limit<&Limits::window_frames>}, Unit::kNone, 1, 4096},
      {"limits", "credit_initial", "", "unsettled cost a new peer may have",
       Setting::Count{limit<&Limits::credit_initial>}, Unit::kBytes, 4 * kKiB, kGiB},
      {"limits", "credit_max", "", "unsettled cost a busy peer may have",
       Setting::Count{limit<&Limits::credit_max>}, Unit::kBytes, 4 * kKiB, kGiB},
      {"limits", "pair_share", "",
       "a peer's credit for one recipient is its credit divided by this",
       Setting::Count{limit<&Limits::pair_share>}, Unit::kNone, 1, 1024},
      {"limits", "violations", "", "errors after which a session ends",
       Setting::Count{limit<&Limits::violations>}, Unit::kNone, 1, 1'000'000},
      {"limits", "watches", "", "patterns a peer may watch",
       Setting::Count{limit<&Limits::watches>}, Unit::kNone, 0, 4096},
      {"limits", "subscriptions", "", "patterns a peer may subscribe to",
       Setting::Count{limit<&Limits::subscriptions>}, Unit::kNone, 0, 1 << 20},
      {"limits", "all_subscriptions", "", "subscriptions of all peers",
       Setting::Count{limit<&Limits::all_subscriptions>}, Unit::kNone, 0, 100 << 20},
      {"limits", "topic_queue", "", "publishes that wait for one subscriber",
       Setting::Count{limit<&Limits::topic_queue>}, Unit::kBytes, 4 * kKiB, 1024 * kGiB},
      {"limits", "rate", "", "envelopes a second of a peer; 0: no limit",
       Setting::Count{limit<&Limits::rate>}, Unit::kNone, 0, 1'000'000'000},
      {"limits", "offers", "", "services a peer may offer", Setting::Count{limit<&Limits::offers>},
       Unit::kNone, 0, 1 << 20},
      {"limits", "all_offers", "", "services that all peers offer, each time one does",
       Setting::Count{limit<&Limits::all_offers>}, Unit::kNone, 0, 100 << 20},
      {"limits", "calls", "", "requests and calls of a peer without a reply",
       Setting::Count{limit<&Limits::calls>}, Unit::kNone, 0, 100 << 20},
      {"limits", "all_calls", "", "requests and calls of all peers without a reply",
       Setting::Count{limit<&Limits::all_calls>}, Unit::kNone, 0, 100 << 20},
      {"limits", "service_queue", "", "calls that wait for a worker of one service",
       Setting::Count{limit<&Limits::service_queue>}, Unit::kNone, 0, 100 << 20},
      {"limits", "retained", "", "topics with a retained value",
       Setting::Count{limit<&Limits::retained>}, Unit::kNone, 0, 10 << 20},
      {"limits", "inspectors", "", "peers that watch or recall what the broker does, at a time",
       Setting::Count{limit<&Limits::inspectors>}, Unit::kNone, 0, 1024},

      {"session", "heartbeat", "heartbeat", "quiet time after which a peer is pinged",
       Setting::Duration{limit<&Limits::heartbeat_ns>}, Unit::kNone, 50 * kMs, kHour},
      {"session", "silence", "silence", "quiet time after which a peer counts as away",
       Setting::Duration{limit<&Limits::silence_ns>}, Unit::kNone, 100 * kMs, kHour},
      {"session", "resume", "resume", "how long a peer may be away before its mail is lost",
       Setting::Duration{limit<&Limits::resume_ns>}, Unit::kNone, 0, 24 * kHour},
      {"session", "simple_away", "", "the same for peers that cannot resume",
       Setting::Duration{limit<&Limits::simple_away_ns>}, Unit::kNone, kSec, 24 * kHour},
      {"session", "challenge", "", "how long the holder of a name may take to answer for it",
       Setting::Duration{limit<&Limits::challenge_ns>}, Unit::kNone, 10 * kMs, kHour},
      {"session", "newest_wins", "newest-wins", "a newcomer takes a held name at once",
       Setting::Switch{limit<&Limits::newest_wins>}},
      {"session", "receipt", "",
       "most a receipt waits for company; five times that while much is settled",
       Setting::Duration{limit<&Limits::receipt_ns>}, Unit::kNone, 0, kSec},
      {"session", "credit_idle", "", "time without payload after which credit shrinks",
       Setting::Duration{limit<&Limits::credit_idle_ns>}, Unit::kNone, 100 * kMs, kHour},
  };
}

}  // namespace

std::span<const Setting> settings() {
  static const std::vector<Setting> table = make_settings();
  return table;
}

}  // namespace zpost::app
