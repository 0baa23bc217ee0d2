#include "peer/cli/chat_text.h"

#include <fmt/format.h>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"

namespace zpost::cli {
namespace {

using Kind = ChatLine::Kind;

constexpr std::size_t kQuoteColumns = 40;

/// `✓`, in a room with the number of those who got it.
std::string tick(const ChatLine& line) {
  return line.count ? fmt::format("✓{}", *line.count) : "✓";
}

std::string mark(const ChatLine& line, const Palette& palette) {
  if (line.outcome == Outcome::kNone) return palette.paint(Ink::kDim, "…");
  if (line.outcome == Outcome::kDelivered) return palette.paint(Ink::kGreen, tick(line));
  if (line.outcome == Outcome::kUnconfirmed) {
    return palette.paint(Ink::kYellow, "✓ handed over, unconfirmed");
  }
  return palette.paint(Ink::kRed, fmt::format("✗ not delivered: {} — /retry", line.reason));
}

std::string said(const ChatLine& line, const Palette& palette, const std::string& clock) {
  const std::string from = line.from.empty() ? "the broker" : visible_line(line.from);
  std::string head = palette.name(from);
  std::size_t columns = columns_of(clock) + columns_of(from) + 3;
  if (!line.room.empty()) {
    const std::string room = with_mark(line.room);
    head = palette.name(room) + " " + head;
    columns += columns_of(room) + 1;
  } else if (line.aside) {
    const bool own = line.kind == Kind::kSent;
    head += " → " + (own ? palette.name(line.to) : "you");
    columns += columns_of(own ? line.to : "you") + 3;
  }
  const std::string text = visible_block(line.text, columns);
  std::string out = palette.paint(Ink::kDim, clock) + " " + head + ": ";
  out += line.binary ? palette.paint(Ink::kDim, text) : text;
  if (line.kind == Kind::kSent) out += " " + mark(line, palette);
  return out;
}

std::string settled(const ChatLine& line, const Palette& palette) {
  const std::string quote = shortened(visible_line(line.text), kQuoteColumns);
  if (line.outcome == Outcome::kDelivered) {
    return palette.paint(Ink::kGreen, tick(line) + " delivered") + ": " + quote;
  }
  return quote + " " + mark(line, palette);
}

}  // namespace

std::string chat_text(const ChatLine& line, const Palette& palette, std::uint64_t now_ns) {
  const std::string clock = local_time(line.time_ns, now_ns);
  const std::string dim_clock = palette.paint(Ink::kDim, clock) + " ";
  switch (line.kind) {
    case Kind::kReceived:
    case Kind::kSent:
      return said(line, palette, clock) + "\n";
    case Kind::kSettled:
      return dim_clock + settled(line, palette) + "\n";
    case Kind::kPresence:
      return dim_clock + palette.name(line.from) + " " + line.text + "\n";
    case Kind::kMissed:
      return dim_clock + palette.name(with_mark(line.room)) + " " +
             palette.paint(Ink::kYellow, line.text) + "\n";
    case Kind::kState:
      return dim_clock + palette.paint(Ink::kYellow, line.text) + "\n";
    case Kind::kNote:
      return line.text + "\n";
  }
  return "";
}

}  // namespace zpost::cli
