#include "tools/inspect/replay_cast.h"

#include <fmt/format.h>

#include <algorithm>

#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

std::string role_of_target(const ReplayItem& item) {
  return item.kind == Kind::kCall ? kServiceMark + item.to : item.to;
}

Error wrong_cast(std::string text) {
  return {Outcome::kMalformed, std::move(text)};
}

/// Makes one cast.
class Casting {
 public:
  Casting(ReplayPlan& plan, const LivePeers& live, const CastRules& rules)
      : plan_(plan), live_(live), rules_(rules) {}

  [[nodiscard]] Result<Cast> make() {
    cast_.is_sent.assign(plan_.items.size(), true);
    for (const auto step : {&Casting::cast_senders, &Casting::cast_recipients,
                            &Casting::cast_workers, &Casting::aim, &Casting::check_size}) {
      const Result<void> done = (this->*step)();
      if (!done) return done.error();
    }
    return std::move(cast_);
  }

 private:
  [[nodiscard]] Result<void> cast_senders() {
    for (const ReplaySender& sender : plan_.senders) {
      const std::optional<std::string> renamed = rules_.renames.apply(sender.name);
      Role role{.recorded = sender.name, .name = renamed.value_or(sender.name)};
      const bool is_here = live_.peers.contains(role.name);
      role.part = is_here && !renamed ? Part::kReal : Part::kPlayed;
      if (Result<void> added = add(std::move(role)); !added) return added;
    }
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      Role& sender = cast_.roles.find(plan_.sender_of(plan_.items[i]))->second;
      if (sender.part == Part::kPlayed) {
        ++sender.sends;
      } else {
        leave_to_sender(i);
      }
    }
    return {};
  }

  void leave_to_sender(std::size_t place) {
    const ReplayItem& item = plan_.items[place];
    cast_.is_sent[place] = false;
    plan_.leave_out({NotSent::kReal, static_cast<std::uint8_t>(item.kind), plan_.sender_of(item),
                     role_of_target(item), item.id, 1});
  }

  [[nodiscard]] Result<void> cast_recipients() {
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      const ReplayItem& item = plan_.items[i];
      if (!cast_.is_sent[i] || item.kind == Kind::kPublish) continue;
      const bool is_service = item.kind == Kind::kCall;
      const std::string recorded = role_of_target(item);
      if (const auto known = cast_.roles.find(recorded); known != cast_.roles.end()) {
        ++known->second.is_sent;
        continue;
      }
      Result<void> added = add(is_service ? service(item.to) : recipient(item.to));
      if (!added) return added;
      ++cast_.roles.find(recorded)->second.is_sent;
    }
    return {};
  }

  [[nodiscard]] Role recipient(const std::string& recorded) const {
    const std::optional<std::string> redirected = rules_.redirections.peers.apply(recorded);
    const std::optional<std::string> renamed = rules_.renames.apply(recorded);
    Role role{.recorded = recorded, .name = redirected.value_or(recorded)};
    // Whoever says how somebody is to be called does not mean the one who is there.
    const bool is_real = live_.peers.contains(role.name) && !(rules_.stand_in && renamed);
    if (redirected || !rules_.stand_in || is_real) {
      role.part = live_.peers.contains(role.name) ? Part::kReal : Part::kAbsent;
    } else {
      role.part = Part::kStoodIn;
      role.name = renamed.value_or(recorded);
    }
    return role;
  }

  [[nodiscard]] Role service(const std::string& recorded) const {
    const std::optional<std::string> redirected = rules_.redirections.services.apply(recorded);
    const std::string name = redirected.value_or(recorded);
    Role role{.recorded = kServiceMark + recorded, .name = kServiceMark + name};
    if (live_.services.contains(name)) {
      role.part = Part::kReal;
    } else if (rules_.stand_in && !redirected) {
      role.workers = recorded_workers(recorded);
      if (!role.workers.empty()) role.part = Part::kStoodIn;
    }
    return role;
  }

  /// Those that could be played: who is at the broker and offers nothing is not.
  [[nodiscard]] std::vector<std::string> recorded_workers(const std::string& service) const {
    std::set<std::string> workers;
    for (const ReplayItem& item : plan_.items) {
      if (item.kind != Kind::kCall || item.to != service || item.worker.empty()) continue;
      if (!live_.peers.contains(rules_.renames.name_for(item.worker))) workers.insert(item.worker);
    }
    return {workers.begin(), workers.end()};
  }

  [[nodiscard]] Result<void> cast_workers() {
    std::set<std::string> workers;
    for (const auto& [recorded, role] : cast_.roles) {
      workers.insert(role.workers.begin(), role.workers.end());
    }
    for (const std::string& worker : workers) {
      if (cast_.roles.contains(worker)) continue;
      Role role{
          .recorded = worker, .name = rules_.renames.name_for(worker), .part = Part::kStoodIn};
      if (Result<void> added = add(std::move(role)); !added) return added;
    }
    return {};
  }

  [[nodiscard]] Result<void> aim() {
    cast_.targets.reserve(plan_.items.size());
    for (const ReplayItem& item : plan_.items) {
      if (item.kind == Kind::kPublish) {
        cast_.targets.push_back(rules_.redirections.topics.name_for(item.to));
        if (!is_topic(cast_.targets.back())) {
          return wrong_cast(fmt::format("\"{}\" is no topic", cast_.targets.back()));
        }
        continue;
      }
      const auto role = cast_.roles.find(role_of_target(item));
      std::string name = role == cast_.roles.end() ? item.to : role->second.name;
      if (name.starts_with(kServiceMark)) name.erase(0, 1);
      // What was sent to someone who is played goes on to him, unless it was to go elsewhere.
      if (item.kind != Kind::kCall) name = rules_.redirections.peers.apply(item.to).value_or(name);
      cast_.targets.push_back(std::move(name));
    }
    return {};
  }

  [[nodiscard]] Result<void> check_size() {
    const std::size_t players = ours_.size();
    if (players > Cast::kMaxPlayers) {
      return wrong_cast(
          fmt::format("{} peers would be played, the limit is {}: choose by --from, --to "
                      "or a filter",
                      players, Cast::kMaxPlayers));
    }
    if (std::ranges::any_of(cast_.is_sent, [](bool sent) { return sent; })) return {};
    if (plan_.items.empty()) return {};
    return wrong_cast(
        "every sender of the recording is at the broker itself, so there is nothing to "
        "replay: --rename plays them under other names");
  }

  [[nodiscard]] Result<void> add(Role role) {
    const bool is_service = role.recorded.starts_with(kServiceMark);
    const std::string_view name = std::string_view(role.name).substr(is_service ? 1 : 0);
    if (!is_name(name)) return wrong_cast(fmt::format("\"{}\" is no name", name));
    const bool is_ours = !is_service && (role.part == Part::kPlayed || role.part == Part::kStoodIn);
    if (is_ours && live_.peers.contains(role.name)) {
      return wrong_cast(
          fmt::format("{} cannot be played as {}: a peer of that name is at the broker",
                      role.recorded, role.name));
    }
    if (is_ours && !ours_.insert(role.name).second) {
      return wrong_cast(fmt::format("two peers would be played as {}", role.name));
    }
    std::string recorded = role.recorded;
    cast_.roles.emplace(std::move(recorded), std::move(role));
    return {};
  }

  ReplayPlan& plan_;
  const LivePeers& live_;
  const CastRules& rules_;
  Cast cast_;
  std::set<std::string> ours_;  // Names that are played.
};

}  // namespace

std::string_view part_name(Part part) {
  switch (part) {
    case Part::kPlayed:
      return "played";
    case Part::kStoodIn:
      return "stood in for";
    case Part::kReal:
      return "real";
    case Part::kAbsent:
      return "absent";
  }
  return "";
}

std::uint64_t Cast::sent_count() const {
  return static_cast<std::uint64_t>(std::ranges::count(is_sent, true));
}

const Role* Cast::recipient_of(const ReplayItem& item) const {
  if (item.kind == Kind::kPublish) return nullptr;
  const auto role = roles.find(role_of_target(item));
  return role == roles.end() ? nullptr : &role->second;
}

Result<Cast> make_cast(ReplayPlan& plan, const LivePeers& live, const CastRules& rules) {
  return Casting(plan, live, rules).make();
}

}  // namespace zpost::inspect
