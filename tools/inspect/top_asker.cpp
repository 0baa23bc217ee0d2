#include "tools/inspect/top_asker.h"

#include <utility>

#include "peer/cli/shared/refusals.h"
#include "peer/cli/shared/text.h"
#include "tools/inspect/look_back.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/story_search.h"
#include "tools/inspect/story_text.h"

namespace zpost::inspect {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kEvery{1000};
constexpr milliseconds kTopPatience{2000};
constexpr milliseconds kTopParting{1000};  // For an answer under way to come.
constexpr std::uint64_t kLatest = 500;     // Records of what came in, or failed.
constexpr std::size_t kMostEnvelopes = 500;

std::string failure_text(const peer::Failure& failure) {
  return "the broker does not look back: " + cli::visible_line(failure.text) + "\n";
}

}  // namespace

TopAsker::TopAsker(peer::Peer peer) : peer_(std::move(peer)), thread_([this] { work(); }) {}

TopAsker::~TopAsker() {
  end();
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kTopParting, [this] { return parted_; });
  }
  peer_.close(milliseconds(0));  // Ends what it still waits for.
  thread_.join();
}

void TopAsker::end() {
  const std::scoped_lock lock(mutex_);
  over_ = true;
  changed_.notify_all();
}

void TopAsker::want_envelopes(std::string filter, std::string service) {
  const std::scoped_lock lock(mutex_);
  wanted_.filter = std::move(filter);
  wanted_.service = std::move(service);
  news_.envelopes.reset();  // Of somebody else.
  is_new_ = true;
  changed_.notify_all();
}

void TopAsker::want_story(std::string from, std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  wanted_.from = std::move(from);
  wanted_.id = id;
  news_.story.reset();
  is_new_ = true;
  changed_.notify_all();
}

TopNews TopAsker::take() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(news_, {});
}

template <typename Value>
void TopAsker::put(std::optional<Value> TopNews::*place, Value value) {
  const std::scoped_lock lock(mutex_);
  news_.*place = std::move(value);
}

TopAsker::Wanted TopAsker::await_turn() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kEvery, [this] { return over_ || is_new_; });
  is_new_ = false;
  Wanted wanted = wanted_;
  wanted_.id = 0;
  return wanted;
}

void TopAsker::work() {
  while (true) {
    const Wanted wanted = await_turn();
    if (is_over()) break;
    ask(wanted);
    refuse_requests();
  }
  part(peer_, kTopParting);
  const std::scoped_lock lock(mutex_);
  parted_ = true;
  changed_.notify_all();
}

bool TopAsker::is_over() {
  const std::scoped_lock lock(mutex_);
  return over_;
}

void TopAsker::ask(const Wanted& wanted) {
  if (wanted.id != 0) put(&TopNews::story, tell_story(wanted.from, wanted.id));
  if (!wanted.filter.empty() && !is_over()) {
    const auto found = look_back(peer_, {.latest = kLatest, .filter = wanted.filter}, kTopPatience);
    const std::scoped_lock lock(mutex_);
    // Meanwhile somebody else's may be wanted.
    if (found && wanted.filter == wanted_.filter) {
      news_.envelopes = latest_envelopes(found->records, kMostEnvelopes, wanted.service);
    }
  }
  if (is_over()) return;
  auto peers = peer_.who(kTopPatience);
  if (peers) put(&TopNews::peers, *std::move(peers));
  if (!is_over()) ask_numbers();
}

void TopAsker::ask_numbers() {
  const auto answer = peer_.request("", stats_question(), kTopPatience).get();
  if (!answer) return;
  put(&TopNews::numbers, stats_from(answer->body));
}

std::string TopAsker::tell_story(const std::string& from, std::uint64_t id) {
  const auto found = look_back(peer_, {.from = from, .id = id}, kTopPatience);
  if (!found) return failure_text(found.error());
  std::vector<Story> all = stories(found->records, id);
  if (all.empty()) return "the recorder has forgotten it\n";
  std::string text;
  for (Story& story : all) {
    const auto verdict = StorySearch(peer_, kTopPatience).complete(story);
    if (!verdict) return failure_text(verdict.error());
    text += story_text(story, *verdict, cli::Palette(false));
  }
  return text;
}

void TopAsker::refuse_requests() {
  peer::Batch batch;
  cli::Refusals refusals(peer_);
  while (peer_.receive_batch(batch, milliseconds(0))) {
    for (const EnvelopeView& view : batch.envelopes()) {
      if (view.kind() == Kind::kRequest) {
        (void)refusals.say_no(view.from, view.id, peer_.name() + " only watches");
      }
    }
    peer_.take();
  }
}

}  // namespace zpost::inspect
