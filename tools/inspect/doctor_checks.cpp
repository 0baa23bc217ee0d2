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
// Whoever is so far behind does not keep up.
constexpr std::uint64_t kBehindNs = 5 * kSecondNs;

const PeerInfo* find(const std::vector<PeerInfo>& peers, std::string_view name) {
  const auto found = std::ranges::find(peers, name, &PeerInfo::name);
  return found == peers.end() ? nullptr : &*found;
}

/// "12 s ago".
std::string ago(std::uint64_t ns, std::uint64_t now_ns) {
  const std::string text = cli::age(ns, now_ns);
  return text == "now" ? "just now" : text + " ago";
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
  return fmt::format("instance {}, {}, since {}, from {}, last heard {}",
                     cli::visible_line(holder.instance), cli::visible_line(holder.software),
                     ago(holder.since_ns, now_ns),
                     holder.address.empty() ? "nowhere" : cli::visible_line(holder.address),
                     ago(holder.last_seen_ns, now_ns));
}

/// How long the oldest waits that it has not taken.
std::uint64_t arrears_ns(const PeerInfo& peer, std::uint64_t now_ns) {
  return peer.oldest_ns == 0 || peer.oldest_ns > now_ns ? 0 : now_ns - peer.oldest_ns;
}

std::string backlog_text(const PeerInfo& peer) {
  return fmt::format("{} queued ({}), {} unacknowledged", cli::count_text(peer.queued),
                     cli::size_text(peer.queued_bytes), cli::count_text(peer.unacked));
}

/// Empty: it takes what it is sent.
std::string slowness_text(const PeerInfo& peer, std::uint64_t now_ns) {
  const std::uint64_t arrears = arrears_ns(peer, now_ns);
  const std::string name = cli::visible_line(peer.name);
  if (arrears < kStandstillNs) return "";
  const std::string since = cli::age(peer.oldest_ns, now_ns);
  if (peer.received_rate == 0) {
    return fmt::format("{} takes nothing, since {}: {}, last heard {}", name, since,
                       backlog_text(peer), ago(peer.last_seen_ns, now_ns));
  }
  if (arrears < kBehindNs) return "";
  return fmt::format("{} is {} behind: it takes {}/s; {}", name, since,
                     cli::count_text(peer.received_rate), backlog_text(peer));
}

Check slow_check(const PeerInfo& slow, std::string text) {
  return {"consumer", Health::kWarn, std::move(text),
          fmt::format("Look at the program {} ({}): it receives too slowly, is busy or stopped",
                      cli::visible_line(slow.name), cli::visible_line(slow.address))};
}

/// One of the broker's limits, as it stands.
struct Usage {
  std::string_view key;  // Without `limits.`.
  std::string_view what;
  std::uint64_t used;
  std::string_view at_limit;
  bool is_bytes = false;
};

std::string amount_text(const Usage& usage, std::uint64_t amount) {
  return usage.is_bytes ? cli::size_text(amount) : cli::count_text(amount);
}

Check limit_check(const Usage& usage, std::uint64_t limit) {
  const bool at_it = usage.used >= limit;
  return {"limit", Health::kWarn,
          fmt::format("{}: {} of {}, {} the limit (limits.{})", usage.what,
                      amount_text(usage, usage.used), amount_text(usage, limit),
                      at_it ? "at" : "near", usage.key),
          fmt::format("{}{}\nRaise limits.{} in the broker's configuration, or need less",
                      at_it ? "Now " : "At the limit ", usage.at_limit, usage.key)};
}

/// Nine tenths, without overflow.
bool is_near(std::uint64_t used, std::uint64_t limit) {
  return used >= limit - limit / 10;
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

std::vector<Check> limit_checks(const BrokerStats& stats) {
  const Usage usages[] = {
      {"peers", "peers", stats.peers, "newcomers are refused"},
      {"memory", "memory", stats.memory, "newcomers are refused, and senders wait or get full",
       true},
      {"inspectors", "inspectors", stats.inspectors, "nobody else can watch or look back"},
      {"all_subscriptions", "subscriptions", stats.subscriptions, "more are refused"},
      {"retained", "retained values", stats.retained, "more topics cannot keep one"}};
  std::vector<Check> checks;
  std::string fine;
  for (const Usage& usage : usages) {
    const auto limit = stats.limits.find(std::string(usage.key));
    if (limit == stats.limits.end()) continue;
    if (is_near(usage.used, limit->second)) checks.push_back(limit_check(usage, limit->second));
    fine += fmt::format("{}{} of {} {}", fine.empty() ? "" : ", ", amount_text(usage, usage.used),
                        amount_text(usage, limit->second), usage.what);
  }
  if (checks.empty() && !fine.empty()) checks.push_back({"limits", Health::kOk, fine, ""});
  return checks;
}

std::vector<Check> peer_checks(const std::vector<PeerInfo>& peers, std::uint64_t now_ns) {
  std::vector<Check> checks;
  for (const PeerInfo& each : peers) {
    const std::string name = cli::visible_line(each.name);
    std::string slow = each.state == "active" ? slowness_text(each, now_ns) : "";
    if (!slow.empty()) {
      checks.push_back(slow_check(each, std::move(slow)));
    } else if (each.state == "away") {
      checks.push_back({"away", Health::kWarn,
                        fmt::format("{} lost its connection, last heard {}; {} wait for it", name,
                                    ago(each.last_seen_ns, now_ns),
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
       fmt::format("{}, all take what they are sent", cli::counted(peers.size(), "peer")), ""});
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
