#include "peer/cli/chat_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "peer/cli/room_names.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/wrapping.h"

namespace zpost::cli {
namespace {

using LineKind = ChatLine::Kind;

constexpr std::size_t kQuoteColumns = 40;

/// `✓`, in a room with the number of those whose queue has it, and how many are there if that is
/// more.
std::string tick(const ChatLine& line) {
  if (!line.count) return "✓";
  if (*line.count < line.people) return fmt::format("✓{} of {}", *line.count, line.people);
  return fmt::format("✓{}", *line.count);
}

struct Mark {
  Ink ink;
  std::string text;
};

Mark mark_of(const ChatLine& line) {
  if (line.outcome == Outcome::kNone) return {Ink::kDim, "…"};
  if (line.outcome == Outcome::kDelivered) return {Ink::kGreen, tick(line)};
  if (line.outcome == Outcome::kUnconfirmed) return {Ink::kYellow, "✓ handed over, unconfirmed"};
  return {Ink::kRed, fmt::format("✗ not delivered: {} — /retry", line.reason)};
}

/// A line on its way to the terminal: words in their colours, wrapped.
class Row {
 public:
  Row(const Palette& palette, std::size_t columns, Margins margins)
      : palette_(palette), words_(columns, 0, margins) {}

  Row& put(std::string_view text, Ink ink = Ink::kPlain) {
    add(text, [&](std::string_view words) { return palette_.paint(ink, words); });
    return *this;
  }

  Row& name(std::string_view name) {
    add(name, [&](std::string_view words) { return palette_.name(words); });
    return *this;
  }

  [[nodiscard]] std::string end() && { return std::move(out_) + "\n"; }

 private:
  /// What stands before the first word gets no colour.
  template <typename Painter>
  void add(std::string_view text, const Painter& painted) {
    const std::string words = words_.put(text);
    const std::size_t begin = std::min(words.size(), words.find_first_not_of(" \n"));
    out_ += words.substr(0, begin);
    if (begin < words.size()) out_ += painted(std::string_view(words).substr(begin));
  }

  const Palette& palette_;
  Wrapping words_;
  std::string out_;
};

/// Who says it, where, and to whom: everything before the colon.
struct Head {
  std::string from;
  std::string room = {};
  std::string to = {};
  bool to_me = false;

  [[nodiscard]] std::size_t columns() const {
    std::size_t columns = columns_of(from);
    if (!room.empty()) columns += columns_of(room) + 1;
    if (!to.empty()) columns += columns_of(to) + 3;
    return columns;
  }

  void put(Row& row) const {
    if (!room.empty()) row.name(room).put(" ");
    row.name(from);
    if (to.empty()) return;
    row.put(" → ");
    if (to_me) {
      row.put(to);
    } else {
      row.name(to);
    }
  }
};

Head head_of(const ChatLine& line) {
  Head head{line.from.empty() ? "the broker" : visible_line(line.from)};
  if (!line.room.empty()) {
    head.room = with_mark(line.room);
  } else if (line.aside) {
    head.to_me = line.kind != LineKind::kSent;
    head.to = head.to_me ? "you" : line.to;
  }
  return head;
}

std::string said(const ChatLine& line, const Look& look, const std::string& clock) {
  const Head head = head_of(line);
  const std::size_t indent = columns_of(clock) + 1 + head.columns() + 2;
  Row row(look.palette, look.columns, {.line = indent, .wrap = indent});
  head.put(row.put(clock, Ink::kDim).put(" "));
  row.put(": ").put(visible_block(line.text, 0), line.binary ? Ink::kDim : Ink::kPlain);
  if (line.kind == LineKind::kSent) {
    const Mark mark = mark_of(line);
    row.put(" ").put(mark.text, mark.ink);
  }
  return std::move(row).end();
}

void put_settled(Row& row, const ChatLine& line) {
  const std::string quote = shortened(visible_line(line.text), kQuoteColumns);
  const Mark mark = mark_of(line);
  if (line.outcome == Outcome::kDelivered) {
    row.put(mark.text + " delivered", mark.ink).put(": " + quote);
  } else {
    row.put(quote + " ").put(mark.text, mark.ink);
  }
}

/// What happened, behind the time.
std::string told(const ChatLine& line, const Look& look, const std::string& clock) {
  const std::size_t indent = columns_of(clock) + 1;
  Row row(look.palette, look.columns, {.line = indent, .wrap = indent});
  row.put(clock, Ink::kDim).put(" ");
  switch (line.kind) {
    case LineKind::kSettled:
      put_settled(row, line);
      break;
    case LineKind::kPresence:
      row.name(line.from).put(" " + line.text);
      break;
    case LineKind::kMissed:
      row.name(with_mark(line.room)).put(" ").put(line.text, Ink::kYellow);
      break;
    default:
      row.put(line.text, Ink::kYellow);
  }
  return std::move(row).end();
}

}  // namespace

std::string chat_text(const ChatLine& line, const Look& look, std::uint64_t now_ns) {
  if (line.kind == LineKind::kNote) {
    constexpr std::size_t kIndent = 2;
    Row row(look.palette, look.columns, {.line = 0, .wrap = kIndent});
    return std::move(row.put(line.text)).end();
  }
  const std::string clock = local_time(line.time_ns, now_ns);
  const bool is_said = line.kind == LineKind::kReceived || line.kind == LineKind::kSent;
  return is_said ? said(line, look, clock) : told(line, look, clock);
}

}  // namespace zpost::cli
