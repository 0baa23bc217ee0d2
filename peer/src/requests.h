// Requests that wait for their reply, and their deadlines.
//
// Pure: no sockets, clocks or threads; the time is given.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory_resource>
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

/// A request or call to be waited for.
struct Asked {
  std::uint64_t id = 0;
  std::string_view to;  // Read during the call only.
  bool is_call = false;
  bool streams = false;  // The resolver wants every reply.
  Time deadline = Time::max();
};

class Requests {
 public:
  void add(const Asked& asked, Resolver resolver);

  [[nodiscard]] bool contains(std::uint64_t id) const { return waiting_.contains(id); }

  struct Replied {
    Resolver resolver;
    std::string account;  // The ledger's, that paid for the request.
  };

  /// The request that `in_reply_to` names, if a reply from `from` answers it. It is taken out
  /// unless it wants more replies and there are `more`.
  [[nodiscard]] std::optional<Replied> reply(std::string_view from, std::uint64_t in_reply_to,
                                             bool more);
  /// Remembers that `id` was cancelled. False: there is none.
  [[nodiscard]] bool cancel(std::uint64_t id);
  /// Those that were cancelled and still wait.
  [[nodiscard]] std::vector<std::uint64_t> cancelled() const;
  /// Takes `id` out: it failed.
  [[nodiscard]] std::optional<Resolved> fail(std::uint64_t id, Failure failure);

  struct Expired {
    std::uint64_t id = 0;
    Resolved resolved;
  };

  /// Takes out what is past its deadline at `now`.
  [[nodiscard]] std::vector<Expired> expire(Time now);
  /// Takes out all.
  [[nodiscard]] std::vector<Resolved> fail_all(const Failure& failure);

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

  /// Of the first request to expire; the end of time if there is none.
  [[nodiscard]] Time next_deadline() const {
    return deadlines_.empty() ? Time::max() : deadlines_.begin()->first;
  }

 private:
  using Deadlines = std::pmr::multimap<Time, std::uint64_t>;

  struct Waiting {
    std::string to;
    bool is_call = false;
    bool streams = false;
    bool cancelled = false;
    Resolver resolver;
    Deadlines::iterator deadline;
  };

  using WaitingById = std::pmr::unordered_map<std::uint64_t, Waiting>;

  [[nodiscard]] Resolver take(WaitingById::iterator place);

  std::pmr::unsynchronized_pool_resource nodes_;  // Of both: they come and go with every request.
  WaitingById waiting_{&nodes_};
  Deadlines deadlines_{&nodes_};
};

}  // namespace zpost::peer
