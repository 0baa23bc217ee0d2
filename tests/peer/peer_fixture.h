// Peers of a fake broker.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/peer/fake_broker.h"
#include "tests/support/wait_until.h"
#include "zpost/peer/peer.h"

namespace zpost::peer {

using namespace std::chrono_literals;
using test::FakeBroker;
using test::kPatience;
using test::wait_until;

class PeerTest : public testing::Test {
 protected:
  explicit PeerTest(FakeBroker::Settings settings = {}) : broker_(settings) {}

  ~PeerTest() override { EXPECT_EQ(broker_.violations(), expected_violations_); }

  Options options(std::string name) const {
    Options options;
    options.endpoint = broker_.endpoint();
    options.name = std::move(name);
    options.reconnect_first = 5ms;
    options.reconnect_last = 50ms;
    options.connect_timeout = kPatience;
    return options;
  }

  Peer connect(std::string name) const { return connect(options(std::move(name))); }

  static Peer connect(Options options) {
    Answer<Peer> peer = Peer::connect(std::move(options));
    if (!peer) throw std::runtime_error(peer.error().text);
    return std::move(*peer);
  }

  /// The next change of state of kind `state`; others before it are dropped.
  static StateChange await(Peer& peer, StateChange::State state) {
    while (auto change = peer.next_state(kPatience)) {
      if (change->state == state) return *change;
    }
    ADD_FAILURE() << "no such change";
    return {};
  }

  /// Texts of everything that arrives until `count` are there.
  static std::vector<std::string> texts(Peer& peer, std::size_t count) {
    std::vector<std::string> all;
    while (all.size() < count) {
      const auto message = peer.receive(kPatience);
      if (!message) break;
      all.emplace_back(message->text());
    }
    return all;
  }

  /// The ids the broker has seen for `to`, in their order of arrival.
  std::vector<std::uint64_t> seen_ids(const std::string& to) {
    std::vector<std::uint64_t> ids;
    for (const FakeBroker::Seen& each : broker_.seen()) {
      if (each.to == to) ids.push_back(each.id);
    }
    return ids;
  }

  FakeBroker broker_;
  std::size_t expected_violations_ = 0;
};

using Texts = std::vector<std::string>;

}  // namespace zpost::peer
