#include "peer/src/interests.h"

#include <algorithm>
#include <utility>

namespace zpost::peer {
namespace {

/// Whether both speak of the same sort of thing, for or against it.
bool alike(Kind a, Kind b) {
  const auto first_of_both = [](Kind kind) {
    if (kind == Kind::kUnsubscribe) return Kind::kSubscribe;
    return kind == Kind::kWithdraw ? Kind::kOffer : kind;
  };
  return first_of_both(a) == first_of_both(b);
}

}  // namespace

void Interests::put(Kind kind, std::string_view name, ByteBuffer body, std::uint64_t id) {
  const auto same = std::ranges::find_if(
      entries_, [&](const Entry& each) { return alike(each.kind, kind) && each.name == name; });
  Entry& entry = same != entries_.end() ? *same : entries_.emplace_back();
  if (entry.id == 0) ++open_;
  entry = {kind, std::string(name), std::move(body), id, id, false};
}

std::optional<Interests::Answered> Interests::answered(std::uint64_t id, bool granted) {
  if (id == 0 || open_ == 0) return std::nullopt;
  const auto found = std::ranges::find(entries_, id, &Entry::id);
  if (found == entries_.end()) return std::nullopt;
  --open_;
  found->id = 0;
  Answered answered{found->name, found->first_id, !granted || !found->granted};
  found->granted = granted;
  if (!granted || ends(found->kind)) entries_.erase(found);
  return answered;
}

void Interests::repeat(bool resumed, const std::function<std::uint64_t()>& next_id,
                       const std::function<void(Kind, Bytes, std::uint64_t)>& say) {
  if (!resumed) std::erase_if(entries_, [](const Entry& entry) { return ends(entry.kind); });
  for (Entry& entry : entries_) {
    if (resumed && entry.id == 0) continue;
    if (!resumed) entry.id = next_id();
    say(entry.kind, entry.body, entry.id);
  }
  open_ = static_cast<std::size_t>(
      std::ranges::count_if(entries_, [](const Entry& entry) { return entry.id != 0; }));
}

}  // namespace zpost::peer
