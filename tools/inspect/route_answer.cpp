#include "tools/inspect/route_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "peer/cli/shared/msgpack_json.h"
#include "peer/cli/shared/outcome_words.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::inspect {
namespace {

using cli::Ink;
using cli::Json;

std::string text_of(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() || !found->is_string() ? ""
                                                   : cli::visible_line(found->get<std::string>());
}

std::uint64_t number_of(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found == map.end() || !found->is_number_unsigned() ? 0 : found->get<std::uint64_t>();
}

bool flag_of(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_boolean() && found->get<bool>();
}

/// What an answer must have to be shown: the rest is shown as far as it goes.
bool is_answer(const Json& map) {
  if (!map.is_object() || !map.contains("fate")) return false;
  const auto rows = map.find("recipients");
  if (rows == map.end()) return true;
  return rows->is_array() &&
         std::ranges::all_of(*rows, [](const Json& row) { return row.is_object(); });
}

/// Why it waits for a recipient, for people.
std::string waits_text(const std::string& why, const std::string& name) {
  if (why == "away") return name + " is away; it waits until it is back";
  if (why == "not-there-yet") return name + " has not come yet; it waits for it";
  if (why == "window-full")
    return name + " has not acknowledged what it was sent: its window is full";
  if (why == "no-demand") return name + " has what it asked for, and wants no more";
  if (why == "connection-full") return "the connection of " + name + " takes no more at the moment";
  return why;
}

std::string fate_of(const Json& answer) {
  const std::string to = text_of(answer, "to");
  const std::string fate = text_of(answer, "fate");
  const Json& rows = answer["recipients"];
  if (fate == "refused") {
    const std::string outcome = text_of(answer, "outcome");
    const std::string why = text_of(answer, "text");
    const std::string waits =
        outcome == "over-credit" ? "; a library waits until there is credit" : "";
    return fmt::format("refused: {}: {}{}", outcome, why, waits);
  }
  if (fate == "forwarded" && to.empty()) return "answered by the broker itself";
  if (fate == "forwarded") return "forwarded to " + to + " at once";
  if (fate == "held") {
    const std::string why = rows.empty() ? "not-there-yet" : text_of(rows[0], "why");
    return "held at the broker: " + waits_text(why, to);
  }
  if (fate == "assigned") return "given to " + text_of(answer, "worker") + " at once";
  if (fate == "waiting") {
    const std::uint64_t before = number_of(answer, "waiting");
    const std::string who =
        number_of(answer, "workers") == 0 ? "no worker has come yet" : "no worker has room";
    return fmt::format("waits at the broker: {}; {} before it, the limit is {}", who,
                       cli::counted(before, "call"),
                       cli::count_text(number_of(answer, "queue_limit")));
  }
  const std::uint64_t queues = number_of(answer, "queues");
  if (queues == 0) return "goes nowhere: nobody subscribes to it (no-subscriber, told if wanted)";
  return fmt::format("a copy for {}", cli::counted(queues, "subscriber"));
}

/// What its subscription does to the copy.
std::string copy_text(const Json& row) {
  const std::string policy = text_of(row, "policy");
  if (flag_of(row, "own")) return "gets none: it leaves out its own";
  if (row.contains("lost"))
    return "its copy is " + text_of(row, "lost") + ": the broker's memory is full";
  if (!flag_of(row, "full")) return "";
  if (policy == "block") return "its queue is full: the publisher waits (block)";
  if (policy == "disconnect") return "its queue is full: its session ends (disconnect)";
  return "its queue is full: the oldest that wait are dropped (drop-oldest)";
}

/// The patterns that match, as many as the broker tells.
std::string patterns_of(const Json& row) {
  std::string text;
  std::uint64_t told = 0;
  const auto patterns = row.find("patterns");
  if (patterns != row.end() && patterns->is_array()) {
    for (const Json& each : *patterns) {
      if (!each.is_string()) continue;
      text += (told++ == 0 ? "" : ", ") + cli::visible_line(each.get<std::string>());
    }
  }
  const std::uint64_t all = number_of(row, "matching");
  return all > told ? text + fmt::format(" and {} more", all - told) : text;
}

/// It takes no call more, whatever room its window has.
bool is_full_worker(const Json& row) {
  return row.contains("capacity") && number_of(row, "in_hand") >= number_of(row, "capacity");
}

std::string row_text(const Json& row, const cli::Palette& palette) {
  const std::string name = text_of(row, "name");
  std::string line = fmt::format("  {}  {}", palette.name(name), text_of(row, "state"));
  const std::string why = text_of(row, "why");
  const std::string copy = copy_text(row);
  if (!copy.empty()) {
    line += "  " + palette.paint(flag_of(row, "own") ? Ink::kDim : Ink::kYellow, copy);
  } else if (!why.empty()) {
    line += "  held: " + waits_text(why, name);
  } else {
    line += is_full_worker(row) ? "  has as many calls as it takes" : "  at once";
  }
  line += fmt::format(
      "\n    queued {}, {}; unacknowledged {}; room: window {}, {}; queue {}",
      cli::count_text(number_of(row, "queued")), cli::size_text(number_of(row, "queued_bytes")),
      cli::count_text(number_of(row, "unacked")), cli::size_text(number_of(row, "window_room")),
      cli::counted(number_of(row, "frames_room"), "frame"),
      cli::size_text(number_of(row, "queue_room")));
  if (row.contains("policy")) {
    line +=
        fmt::format("\n    by {}; policy {}{}; {} of topics wait, room for {}", patterns_of(row),
                    text_of(row, "policy"), flag_of(row, "excludes_own") ? ", not its own" : "",
                    cli::size_text(number_of(row, "topic_bytes")),
                    cli::size_text(number_of(row, "topic_room")));
  }
  if (row.contains("capacity")) {
    line += fmt::format("\n    {} of {} in hand", cli::count_text(number_of(row, "in_hand")),
                        cli::counted(number_of(row, "capacity"), "call"));
  }
  return line + "\n";
}

}  // namespace

ByteBuffer encode(const RouteWish& wish, std::uint64_t start) {
  ByteBuffer body;
  MsgpackWriter(body)
      .map(7)
      .str("op")
      .str("route")
      .str("kind")
      .uint(static_cast<std::uint64_t>(wish.kind))
      .str("from")
      .str(wish.from)
      .str("to")
      .str(wish.to)
      .str("bytes")
      .uint(wish.bytes)
      .str("retain")
      .boolean(wish.retain)
      .str("start")
      .uint(start);
  return body;
}

Result<void> RouteAnswer::add(Bytes page) {
  std::optional<Json> read = cli::json_from_msgpack(page);
  if (!read || !is_answer(*read)) {
    return Error{Outcome::kMalformed, "the broker's answer to route cannot be read"};
  }
  Json map = *std::move(read);
  next_ = number_of(map, "next");
  map.erase("next");
  map["kind"] = kind_name(static_cast<Kind>(number_of(map, "kind")));
  if (map.contains("outcome")) {
    map["outcome"] = outcome_name(static_cast<Outcome>(number_of(map, "outcome")));
  }
  if (!map.contains("recipients")) map["recipients"] = Json::array();
  for (Json& row : map["recipients"]) {
    if (row.contains("lost"))
      row["lost"] = outcome_name(static_cast<Outcome>(number_of(row, "lost")));
  }
  if (json_.is_null()) {
    json_ = std::move(map);
    return {};
  }
  for (Json& row : map["recipients"]) json_["recipients"].push_back(std::move(row));
  return {};
}

bool RouteAnswer::is_refused() const {
  return text_of(json_, "fate") == "refused" ||
         (text_of(json_, "fate") == "published" && number_of(json_, "queues") == 0);
}

std::vector<std::string> RouteAnswer::recipients() const {
  std::vector<std::string> names;
  for (const Json& row : json_["recipients"]) {
    const auto name = row.find("name");
    const bool gets_it = !flag_of(row, "own") && name != row.end() && name->is_string();
    if (gets_it) names.push_back(name->get<std::string>());
  }
  return names;
}

std::string route_text(const Json& answer, const cli::Palette& palette) {
  const std::string from = text_of(answer, "from");
  const std::string to = text_of(answer, "to");
  const std::string sender = text_of(answer, "sender");
  const bool bad = text_of(answer, "fate") == "refused";
  std::string text = fmt::format("{} of {} from {} to {}\n  {}\n", text_of(answer, "kind"),
                                 cli::size_text(number_of(answer, "bytes")),
                                 from.empty() ? "a new peer" : palette.name(from),
                                 to.empty() ? "the broker" : palette.name(to),
                                 palette.paint(bad ? Ink::kRed : Ink::kBold, fate_of(answer)));
  if (!from.empty() && sender != "active") {
    text += fmt::format("  {} is {} itself: this is so once it {}\n", from, sender,
                        sender == "absent" ? "comes" : "is back");
  }
  text += fmt::format("  {} may send {} more, {} unsettled to one recipient\n",
                      from.empty() ? "it" : from, cli::size_text(number_of(answer, "credit")),
                      cli::size_text(number_of(answer, "pair")));
  if (number_of(answer, "retained") > 0) {
    text += fmt::format("  the topic keeps a value of {}\n",
                        cli::size_text(number_of(answer, "retained")));
  }
  for (const Json& row : answer["recipients"]) text += row_text(row, palette);
  return text;
}

}  // namespace zpost::inspect
