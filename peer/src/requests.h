// Requests that wait for their reply, and their deadlines.
//
// Pure: no sockets, clocks or threads; the time is given.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "peer/src/clock.h"
#include "zpost/peer/message.h"

namespace zpost::peer {

/// Who waits for a reply: a future or a callback.
using Resolver = std::function<void(Answer<Message>)>;

/// A request with its final outcome.
struct Resolved {
  Resolver resolver;
  Answer<Message> answer;
};

class Requests {
 public:
  void add(std::uint64_t id, std::string_view to, Time deadline, Resolver resolver);

  /// Takes the request that `in_reply_to` names out, if a reply from `from` answers it.
  [[nodiscard]] std::optional<Resolver> reply(std::string_view from, std::uint64_t in_reply_to);
  /// Takes `id` out: it failed.
  [[nodiscard]] std::optional<Resolved> fail(std::uint64_t id, Failure failure);
  /// Takes out what is past its deadline at `now`.
  [[nodiscard]] std::vector<Resolved> expire(Time now);
  /// Takes out all.
  [[nodiscard]] std::vector<Resolved> fail_all(const Failure& failure);

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  /// Of the first request to expire; the end of time if there is none.
  [[nodiscard]] Time next_deadline() const {
    return deadlines_.empty() ? Time::max() : deadlines_.begin()->first;
  }

 private:
  struct Waiting {
    std::string to;
    Resolver resolver;
    std::multimap<Time, std::uint64_t>::iterator deadline;
  };

  [[nodiscard]] Resolver take(std::unordered_map<std::uint64_t, Waiting>::iterator place);

  std::unordered_map<std::uint64_t, Waiting> waiting_;
  std::multimap<Time, std::uint64_t> deadlines_;
};

}  // namespace zpost::peer
