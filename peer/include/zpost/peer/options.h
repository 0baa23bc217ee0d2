// How a peer connects and behaves. Every field has a default, a unit and an effect.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "zpost/protocol/control.h"

namespace zpost::peer {

/// What the program wants to hear of what became of its envelopes.
enum class OutcomeReports {
  kFailures,  // Only what was not delivered.
  kAll,       // Every envelope's final outcome, `delivered` included.
  kNone,
};

/// When a received envelope counts as taken (SPEC.md, section 7, "Acks").
enum class TakeMode {
  kOnNextReceive,  // When the program asks for more, its callback returns, or it closes cleanly.
  kExplicit,       // Only when the program calls take().
};

struct Options {
  /// A libzmq endpoint: tcp://HOST:PORT or ipc://PATH.
  std::string endpoint = "tcp://127.0.0.1:1234";
  /// `[A-Za-z0-9][A-Za-z0-9._-]{0,63}`. Empty: a fresh name of the form `anon-XXXXXXXX`.
  std::string name;
  /// Shown to others by `who`: display name and the like. UTF-8, as are all texts here; at most
  /// 1,024 bytes encoded.
  Metadata metadata;
  /// What the broker sends (kSend, to a name) or publishes (kPublish, to a topic) in this peer's
  /// name when its session ends without a goodbye: close() is one, a crash is none. The body has at
  /// most 4,096 bytes. SPEC.md, section 18.
  std::optional<Will> will;
  /// For people, shown by `who`. At most 128 bytes.
  std::string software = "zpost-peer-cpp";
  /// How long connect() waits for the welcome; not negative. The default says within two seconds
  /// that no broker is there.
  std::chrono::milliseconds connect_timeout{2000};
  /// Pauses between attempts to reconnect: doubled from the first to the last, with jitter. The
  /// first is above 0, the last not below it.
  std::chrono::milliseconds reconnect_first{20};
  std::chrono::milliseconds reconnect_last{5000};
  /// Most bytes the broker may send before they are taken. 0: the broker's choice.
  std::size_t window_bytes = 0;
  /// Most frames likewise. A program that takes a few envelopes and leaves sets both small, so
  /// that little is in its hands when it goes.
  std::size_t window_frames = 0;
  /// How many envelopes the program will take in all; the broker sends no more, so nothing is lost
  /// in its hands when it goes. 0: no end, which a program that makes requests needs: their replies
  /// would have to wait as well. Peer::add_demand() adds to it.
  std::uint64_t demand = 0;
  OutcomeReports outcomes = OutcomeReports::kFailures;
  TakeMode take = TakeMode::kOnNextReceive;
  /// Most outcome reports kept for a program that does not fetch them; beyond it the oldest
  /// `delivered` reports are dropped first, and counted in Statistics.
  std::size_t max_outcome_reports = 1'000'000;
  /// When false, connect() gives up on the first refusal of the kind `name-held`; when true it
  /// retries until connect_timeout.
  bool wait_for_name = false;
};

}  // namespace zpost::peer
