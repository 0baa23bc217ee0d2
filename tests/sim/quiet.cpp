// The end of a history: everyone comes back, reads, takes and acknowledges. Nothing may stay open.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/history.h"

namespace zpost::sim {

using core::kMillisecond;
using core::kSecond;
using core::test::FakePeer;
using core::test::require;

namespace {

constexpr int kMostRounds = 600;
constexpr std::uint64_t kSentAtTheEnd = 60;

}  // namespace

void History::settle_down() {
  say("---- everyone settles down");
  world_.router().set_process_memory(0);
  end_mischief();
  for (auto& peer : peers_) {
    if (peer->connected()) peer->lose();
  }
  to_send_ = kSentAtTheEnd;
  for (int round = 0; round < kMostRounds && !is_quiet(); ++round) {
    for (auto& peer : peers_) tidy_up(*peer);
    world_.advance(round % 10 == 9 ? kSecond : 3 * kMillisecond);
    if (tell_) {
      for (const std::string& line : world_.take_log()) say("  (" + line + ")");
    }
  }
  require(is_quiet(), "it never becomes quiet: " + what_is_left());
  require(world_.router().accounting().held == 0 && world_.router().held_bytes() == 0,
          "something is still held");
}

/// Mallory and those who share a name are gone, and so is what they held.
void History::end_mischief() {
  if (mallory_->connected()) mallory_->lose();
  for (auto& usurper : usurpers_) {
    if (usurper->connected()) usurper->lose();
  }
  world_.advance(limits_.resume_ns + kSecond);
}

void History::tidy_up(FakePeer& peer) {
  if (!peer.connected()) peer.connect();
  read(peer, core::test::World::kNoLimit);
  if (!peer.welcomed()) {
    if (!peer.asking()) peer.hello();
    return;
  }
  const std::uint64_t before = peer.taken() + peer.outcomes();
  peer.take();
  if (peer.options().acks || peer.taken() + peer.outcomes() > before) peer.ack();
  if (!peer.resend()) return;
  for (int i = 0; i < 3 && to_send_ > 0; ++i) {
    const std::size_t drafted = peer.draft().size();
    write_one(peer);
    if (peer.draft().size() > drafted) --to_send_;
  }
  if (!peer.draft().empty()) peer.say();
}

bool History::is_quiet() const {
  return to_send_ == 0 && world_.router().accounting().held == 0 &&
         std::all_of(peers_.begin(), peers_.end(), [](const auto& peer) {
           return peer->welcomed() && peer->copies().empty() && peer->unsettled() == 0;
         });
}

std::string History::what_is_left() const {
  std::string text = fmt::format("held={} to_send={}", world_.router().accounting().held, to_send_);
  for (const auto& peer : peers_) {
    text += fmt::format("; {}: welcomed={} copies={} unsettled={} credit={} sent={} pair={}",
                        peer->name(), peer->welcomed(), peer->copies().size(), peer->unsettled(),
                        peer->credit(), peer->sent_cost(), peer->pair());
    if (!peer->copies().empty()) {
      const auto& [id, copy] = *peer->copies().begin();
      text += fmt::format(" first #{} to \"{}\"", id, copy.to);
    }
  }
  return text;
}

}  // namespace zpost::sim
