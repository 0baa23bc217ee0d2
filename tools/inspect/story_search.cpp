#include "tools/inspect/story_search.h"

#include <algorithm>
#include <utility>

#include "peer/cli/shared/timestamps.h"
#include "zpost/protocol/kinds.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

constexpr int kMostReplies = 100;  // Of a stream of them, the first.

}  // namespace

peer::Answer<Verdict> StorySearch::complete(Story& story) {
  if (const Fault fault = add_what_follows(story)) return *fault;
  if (static_cast<Kind>(story.kind_number) == Kind::kReply) {
    if (const Fault fault = turn_to_question(story)) return *fault;
  }
  return judge(story, cli::wall_clock_ns(), taker_of(story));
}

StorySearch::Fault StorySearch::add_what_follows(Story& story) {
  const std::uint64_t begin = story.steps.front().time_ns;
  if (is_name(story.taker())) {
    // An id that no envelope has: only sessions are wanted.
    const auto sessions =
        look_back(peer_, {.from = story.taker(), .id = 0, .since_ns = begin}, patience_);
    if (!sessions) return sessions.error();
    add_sessions(story, sessions->records);
  }
  int count = 0;
  for (const ReplyRef& reply : replies_of(story)) {
    if (++count > kMostReplies) break;
    const auto found =
        look_back(peer_, {.from = reply.from, .id = reply.id, .since_ns = begin}, patience_);
    if (!found) return found.error();
    for (Story& each : stories(found->records, reply.id)) story.replies.push_back(std::move(each));
  }
  return std::nullopt;
}

StorySearch::Fault StorySearch::turn_to_question(Story& story) {
  const std::uint64_t when = story.steps.front().time_ns;
  const auto answers = look_back(
      peer_, {.from = story.to, .to = story.from, .since_ns = when, .until_ns = when}, patience_);
  if (!answers) return answers.error();
  const std::optional<std::uint64_t> id = question_of(story, answers->records);
  if (!id) return std::nullopt;
  const auto found = look_back(peer_, {.from = story.to, .id = *id}, patience_);
  if (!found) return found.error();
  std::vector<Story> all = stories(found->records, *id);
  if (all.empty()) return std::nullopt;
  story = std::move(all.front());
  return add_what_follows(story);
}

std::optional<peer::Peer::PeerInfo> StorySearch::taker_of(const Story& story) {
  const auto all = peer_.who(patience_);
  if (!all) return std::nullopt;
  const auto found = std::ranges::find(*all, story.taker(), &peer::Peer::PeerInfo::name);
  if (found == all->end()) return std::nullopt;
  return *found;
}

}  // namespace zpost::inspect
