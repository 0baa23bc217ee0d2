#include "tools/inspect/replay_audience.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/route_answer.h"

namespace zpost::inspect {
namespace {

using peer::milliseconds;

constexpr milliseconds kAnswerPatience{5000};
constexpr milliseconds kNoWait{0};

/// Of a publish that is sent again.
std::size_t most_queues(const ReplayPlan& plan, const std::vector<bool>& is_sent) {
  std::size_t most = 0;
  for (std::size_t i = 0; i < plan.items.size(); ++i) {
    if (is_sent[i]) most = std::max<std::size_t>(most, plan.items[i].queues.value_or(0));
  }
  return most;
}

}  // namespace

bool ReplayAudience::open(const ReplayPlan& plan, const std::vector<bool>& is_sent,
                          const peer::Options& options) {
  const std::size_t wanted = std::min(most_queues(plan, is_sent), kMaxSubscribers);
  while (subscribers_.size() < wanted) {
    peer::Options ours = options;
    ours.name = cli::fresh_name("replay-subscriber");
    peer::Answer<peer::Peer> connected = peer::Peer::connect(std::move(ours));
    if (!connected) {
      cli::complain("a subscriber cannot be stood in for: " +
                    cli::visible_line(connected.error().text));
      return false;
    }
    subscribers_.push_back(std::move(*connected));
  }
  return true;
}

void ReplayAudience::gather(const std::string& sender, const std::string& topic,
                            std::uint32_t queues) {
  if (subscribers_.empty()) return;
  auto known = topics_.find(topic);
  if (known == topics_.end()) {
    known = topics_.emplace(topic, Topic{real_queues(sender, topic), 0}).first;
  }
  Topic& now = known->second;
  const std::size_t missing = queues - std::min<std::size_t>(queues, now.real);
  const std::size_t wanted = std::min(missing, subscribers_.size());
  // Kept values are no news: nobody was sent them then because of this.
  const peer::SubscribeOptions options{.retained = false};
  for (; now.ours < wanted; ++now.ours) {
    if (subscribers_[now.ours].subscribe(topic, options)) {
      (void)subscribers_[now.ours].wait_settled(kAnswerPatience);
    }
  }
  for (; now.ours > wanted; --now.ours) {
    if (subscribers_[now.ours - 1].unsubscribe(topic)) {
      (void)subscribers_[now.ours - 1].wait_settled(kAnswerPatience);
    }
  }
}

std::size_t ReplayAudience::real_queues(const std::string& sender, const std::string& topic) {
  const RouteWish wish{.kind = Kind::kPublish, .from = sender, .to = topic};
  const auto page = conductor_.request("", encode(wish, 0), kAnswerPatience).get();
  RouteAnswer answer;
  // A broker that does not tell: then what differs is seen in the comparison.
  if (!page || !answer.add(page->body)) return 0;
  const auto queues = answer.json().find("queues");
  const bool is_there = queues != answer.json().end() && queues->is_number_unsigned();
  return is_there ? queues->get<std::size_t>() : 0;
}

void ReplayAudience::receive() {
  peer::Batch batch;
  for (peer::Peer& subscriber : subscribers_) {
    while (subscriber.receive_batch(batch, kNoWait)) {
    }
    while (subscriber.next_state(kNoWait)) {
    }
    while (subscriber.next_outcome(kNoWait)) {
    }
  }
}

void ReplayAudience::close() {
  // At the same time: where the broker is gone each takes half a second.
  std::vector<std::future<bool>> closing;
  closing.reserve(subscribers_.size());
  for (peer::Peer& subscriber : subscribers_) {
    closing.push_back(
        std::async(std::launch::async, [&subscriber] { return subscriber.close(kNoWait); }));
  }
}

void ReplayAudience::add_descriptors(std::vector<pollfd>& descriptors) const {
  for (const peer::Peer& subscriber : subscribers_) {
    descriptors.push_back({.fd = subscriber.descriptor(), .events = POLLIN, .revents = 0});
  }
}

}  // namespace zpost::inspect
