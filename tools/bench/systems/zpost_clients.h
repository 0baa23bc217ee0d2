// What zpost's client processes do with the client library.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tools/bench/system.h"
#include "zpost/peer/peer.h"

namespace zpost::bench {

/// How a program hands its payloads to the library: many a call, or one.
enum class Handover { kSpans, kSingles };

/// Throws std::runtime_error, as all functions here.
peer::Peer connect_zpost(const std::string& name, std::uint16_t port);

void demand(bool condition, const std::string& why);

/// How long a receiver waits in one call. Shorter waits, each a sign of life of its program, would
/// keep the library's thread awake, which a thousand of them cannot afford.
inline constexpr std::chrono::seconds kReceiveWait{30};

/// The name of the receiver of a pair.
std::string zpost_receiver(std::uint32_t pair);

/// Sends all that `source` gives.
void send_all(peer::Peer& peer, const std::string& to, Handover handover, PayloadSource& source);

/// Demands that all is settled and nothing has failed, and closes.
void end_sending(peer::Peer& peer);

/// See System::flood(), publish(), subscribe().
void flood_by_zpost(const Part& part, Handover handover, Gate& gate,
                    std::span<PayloadSource> sources);
void publish_by_zpost(const Part& part, Gate& gate, PayloadSource& source);
void subscribe_by_zpost(const Part& part, Gate& gate, PayloadSink& sink);

/// See System::work(), call().
[[noreturn]] void work_by_zpost(const Part& part, Gate& gate);
void call_by_zpost(const Part& part, Gate& gate, PayloadSource& source, PayloadSink& sink);

/// See System::join(), send_told(), receive_told(), send_mixed().
std::unique_ptr<RingPeer> join_zpost(const RingSeat& seat, PayloadSink& sink);
void send_told_by_zpost(const Part& part, Handover handover, Gate& gate, PayloadSource& source,
                        ToldCounts& told);
void receive_told_by_zpost(const Part& part, Gate& gate, PayloadSink& sink, ToldCounts& told);
void send_mixed_by_zpost(const Part& part, Gate& gate, MixedSources sources,
                         std::atomic<std::uint64_t>& held);

}  // namespace zpost::bench
