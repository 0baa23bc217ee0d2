#include "peer/cli/who_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;

std::string display_of(const PeerInfo& peer) {
  const auto found = peer.metadata.find("display");
  return found == peer.metadata.end() ? "" : visible_line(found->second);
}

Row row_of(const PeerInfo& peer, std::uint64_t now_ns) {
  return {visible_line(peer.name),       visible_line(peer.state),     age(peer.since_ns, now_ns),
          std::to_string(peer.queued),   std::to_string(peer.unacked), std::to_string(peer.sent),
          std::to_string(peer.received), visible_line(peer.software),  display_of(peer)};
}

std::string line_of(const Row& row, const std::array<std::size_t, kColumns>& widths) {
  std::string line;
  for (std::size_t i = 0; i < kColumns; ++i) line += padded(row[i], widths[i]) + "  ";
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string who_table(const std::vector<PeerInfo>& peers, const Palette& palette,
                      std::uint64_t now_ns) {
  std::vector<Row> rows{
      {"NAME", "STATE", "SINCE", "QUEUED", "UNACKED", "SENT", "RECEIVED", "SOFTWARE", "DISPLAY"}};
  for (const PeerInfo& peer : peers) rows.push_back(row_of(peer, now_ns));
  std::array<std::size_t, kColumns> widths = {};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      widths[i] = std::max(widths[i], columns_of(row[i]));
    }
  }
  std::string table = palette.paint(Ink::kBold, line_of(rows.front(), widths)) + "\n";
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const bool away = peers[i - 1].state != "active";
    table += palette.paint(away ? Ink::kDim : Ink::kPlain, line_of(rows[i], widths)) + "\n";
  }
  return table;
}

std::string who_details(const PeerInfo& peer, const Palette& palette, std::uint64_t now_ns) {
  std::string text = palette.name(visible_line(peer.name)) + "\n";
  const auto tell = [&](std::string_view what, std::string_view fact) {
    if (fact.empty()) return;
    text += fmt::format("  {}  {}\n", padded(std::string(what), 14), visible_line(fact));
  };
  tell("state", peer.state + ", since " + age(peer.since_ns, now_ns));
  tell("last heard", age(peer.last_seen_ns, now_ns));
  tell("address", peer.address);
  tell("software", peer.software + (peer.acks ? "" : " (does not acknowledge)"));
  tell("instance", peer.instance);
  tell("sent", fmt::format("{}, {}/s", count_text(peer.sent), count_text(peer.sent_rate)));
  tell("received",
       fmt::format("{}, {}/s", count_text(peer.received), count_text(peer.received_rate)));
  tell("queued", fmt::format("{}, {}", count_text(peer.queued), size_text(peer.queued_bytes)));
  tell("unacknowledged", count_text(peer.unacked));
  if (peer.oldest_ns != 0) tell("oldest of these", age(peer.oldest_ns, now_ns));
  tell("subscriptions", count_text(peer.subscriptions));
  tell("offers", fmt::to_string(fmt::join(peer.offers, ", ")));
  for (const auto& [key, value] : peer.metadata) tell(key, value);
  return text;
}

std::string who_json(const PeerInfo& peer) {
  Json json{{"name", peer.name},
            {"state", peer.state},
            {"since", utc_time(peer.since_ns)},
            {"queued", peer.queued},
            {"queued_bytes", peer.queued_bytes},
            {"unacked", peer.unacked},
            {"sent", peer.sent},
            {"received", peer.received},
            {"sent_rate", peer.sent_rate},
            {"received_rate", peer.received_rate},
            {"last_seen", utc_time(peer.last_seen_ns)},
            {"address", peer.address},
            {"subscriptions", peer.subscriptions},
            {"offers", peer.offers},
            {"acks", peer.acks},
            {"software", peer.software},
            {"instance", peer.instance},
            {"metadata", peer.metadata}};
  if (peer.oldest_ns != 0) json["oldest"] = utc_time(peer.oldest_ns);
  return to_line(json);
}

}  // namespace zpost::cli
