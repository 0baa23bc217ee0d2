#include "tools/inspect/doctor_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::inspect {
namespace {

using PeerInfo = peer::Peer::PeerInfo;

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kFewDescriptors = 256;

const PeerInfo* find(const std::vector<PeerInfo>& peers, std::string_view name) {
  const auto found = std::ranges::find(peers, name, &PeerInfo::name);
  return found == peers.end() ? nullptr : &*found;
}

/// Something waited for it at both looks, and it took nothing in between.
bool stands_still(const PeerInfo& now, const std::vector<PeerInfo>& before) {
  const PeerInfo* const then = find(before, now.name);
  if (then == nullptr || then->instance != now.instance || now.state != "active") return false;
  const bool owes = now.queued + now.unacked > 0 && then->queued + then->unacked > 0;
  return owes && then->received == now.received;
}

std::string_view health_name(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarn:
      return "warn";
    case Health::kFail:
      return "fail";
  }
  return "";
}

cli::Ink ink_of(Health health) {
  if (health == Health::kOk) return cli::Ink::kGreen;
  return health == Health::kWarn ? cli::Ink::kYellow : cli::Ink::kRed;
}

std::string holder_text(const PeerInfo& holder, std::uint64_t now_ns) {
  return fmt::format("instance {}, {}, since {} ago, from {}, last heard {} ago",
                     cli::visible_line(holder.instance), cli::visible_line(holder.software),
                     cli::age(holder.since_ns, now_ns),
                     holder.address.empty() ? "nowhere" : cli::visible_line(holder.address),
                     cli::age(holder.last_seen_ns, now_ns));
}

Check slow_check(const PeerInfo& slow, std::uint64_t now_ns) {
  return {"consumer", Health::kWarn,
          fmt::format("{} takes nothing: {} queued ({}), {} unacknowledged, last heard {} ago",
                      cli::visible_line(slow.name), cli::count_text(slow.queued),
                      cli::size_text(slow.queued_bytes), cli::count_text(slow.unacked),
                      cli::age(slow.last_seen_ns, now_ns)),
          fmt::format("Look at the program {} ({}): it receives too slowly, is busy or stopped",
                      cli::visible_line(slow.name), cli::visible_line(slow.address))};
}

}  // namespace

Check descriptor_check(std::uint64_t limit) {
  if (limit >= kFewDescriptors) {
    return {"descriptors", Health::kOk, fmt::format("{} may be open here", cli::count_text(limit)),
            ""};
  }
  return {"descriptors", Health::kWarn,
          fmt::format("only {} may be open here", cli::count_text(limit)),
          "Raise the limit: ulimit -n 1024"};
}

Check clock_check(std::uint64_t broker_ns, std::uint64_t our_ns) {
  const bool ahead = broker_ns > our_ns;
  const std::uint64_t difference = ahead ? broker_ns - our_ns : our_ns - broker_ns;
  const std::string text = fmt::format("the broker's is {} ms {} ours", difference / 1'000'000,
                                       ahead ? "ahead of" : "behind");
  if (difference < kSecondNs) return {"clock", Health::kOk, text, ""};
  return {"clock", Health::kWarn, text,
          "Set both clocks (chrony, ntp): times shown and deadlines do not agree"};
}

std::vector<Check> peer_checks(const std::vector<PeerInfo>& before,
                               const std::vector<PeerInfo>& after, std::uint64_t now_ns) {
  std::vector<Check> checks;
  for (const PeerInfo& each : after) {
    const std::string name = cli::visible_line(each.name);
    if (stands_still(each, before)) {
      checks.push_back(slow_check(each, now_ns));
    } else if (each.state == "away") {
      checks.push_back({"away", Health::kWarn,
                        fmt::format("{} lost its connection, last heard {} ago; {} wait for it",
                                    name, cli::age(each.last_seen_ns, now_ns),
                                    cli::counted(each.queued + each.unacked, "envelope")),
                        "It may come back; if not, what waits for it is lost soon"});
    } else if (each.state == "expected") {
      checks.push_back(
          {"expected", Health::kWarn,
           fmt::format("{} is expected back after the broker's restart; {} wait for it", name,
                       cli::counted(each.queued, "envelope")),
           "Start it, or the outcome is no-peer soon"});
    }
  }
  if (!checks.empty()) return checks;
  checks.push_back(
      {"peers", Health::kOk,
       fmt::format("{}, all take what they are sent", cli::counted(after.size(), "peer")), ""});
  return checks;
}

Check name_check(std::string_view name, const std::vector<PeerInfo>& peers, std::uint64_t now_ns) {
  const PeerInfo* const holder = find(peers, name);
  if (holder == nullptr || holder->state == "expected") {
    return {"name", Health::kOk, fmt::format("{} is free", name), ""};
  }
  if (holder->state == "away") {
    return {"name", Health::kWarn,
            fmt::format("{} is held by one that is away: {}", name, holder_text(*holder, now_ns)),
            "Whoever comes under it gets it, a second later"};
  }
  return {"name", Health::kFail, fmt::format("{} is held: {}", name, holder_text(*holder, now_ns)),
          "Choose another name with --as, or end the other program"};
}

std::string refusal_advice(Outcome code) {
  switch (code) {
    case Outcome::kVersion:
      return "Upgrade the older of this program and the broker";
    case Outcome::kNameHeld:
      return "Choose another name with --as, or end the other program";
    case Outcome::kFull:
      return "Raise the limit it names in the broker's configuration, or end peers";
    case Outcome::kDraining:
      return "The broker is shutting down: wait until it is back";
    default:
      return "";
  }
}

std::string check_text(const Check& check, const cli::Palette& palette) {
  std::string text = fmt::format(
      "{}  {}  {}\n",
      palette.paint(ink_of(check.state), cli::padded(std::string(health_name(check.state)), 4)),
      cli::padded(check.what, 11), check.text);
  std::string_view rest = check.advice;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text += fmt::format("                   {}\n", rest.substr(0, end));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return text;
}

std::string check_json(const Check& check) {
  return cli::to_line({{"check", check.what},
                       {"state", health_name(check.state)},
                       {"text", check.text},
                       {"advice", check.advice}});
}

}  // namespace zpost::inspect
