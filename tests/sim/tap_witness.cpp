#include "tests/sim/tap_witness.h"

#include <fmt/format.h>

#include "broker/core/directory.h"
#include "tests/broker/core/support/world.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::sim {

using core::test::require;

namespace {

bool is_direct(const TapRecord& record) {
  const auto kind = static_cast<Kind>(record.kind);
  return kind == Kind::kSend || kind == Kind::kRequest || kind == Kind::kReply;
}

bool is_about_envelopes(const TapRecord& record) {
  switch (record.event) {
    case TapEvent::kReceived:
    case TapEvent::kForwarded:
    case TapEvent::kHeld:
    case TapEvent::kFailed:
    case TapEvent::kDelivered:
      return record.from != core::kBrokerName;
    default:
      return false;
  }
}

}  // namespace

void TapWitness::see(const std::vector<core::TapNote>& notes) {
  for (const core::TapNote& note : notes) {
    if (is_about_envelopes(note.record) && is_direct(note.record)) see(note.record);
  }
}

void TapWitness::see(const TapRecord& record) {
  const std::uint64_t step = id_step(record);
  require(record.count > 0 && record.first_id + step * (record.count - 1) == record.last_id,
          "a run's ids are not in equal steps");
  for (std::uint32_t i = 0; i < record.count; ++i) see(record, record.first_id + i * step);
}

void TapWitness::see(const TapRecord& record, std::uint64_t id) {
  const Key key{record.from, id};
  const auto known = states_.find(key);
  const bool open = known != states_.end() && known->second != State::kSettled;
  const auto told = [&](const char* what) {
    return fmt::format("envelope {} is told as {}", id, what);
  };
  switch (record.event) {
    case TapEvent::kReceived:
      require(!open, told("received twice"));
      states_[key] = State::kReceived;
      break;
    case TapEvent::kHeld:
      require(open, told("held, and is not here"));
      known->second = State::kHeld;
      break;
    case TapEvent::kForwarded:
      require(open, told("forwarded, and is not here"));
      // Once more only over a new connection, or after it was held.
      require(known->second != State::kForwarded || record.code == 1, told("forwarded twice"));
      known->second = State::kForwarded;
      break;
    case TapEvent::kDelivered:
      require(open, told("delivered, and is not here"));
      known->second = State::kSettled;
      break;
    default:
      // What is wrong with an id says nothing of the envelope that has it.
      if (record.code == static_cast<std::uint16_t>(Outcome::kDuplicate)) break;
      if (record.code == static_cast<std::uint16_t>(Outcome::kForged)) break;
      states_[key] = State::kSettled;
      break;
  }
}

}  // namespace zpost::sim
