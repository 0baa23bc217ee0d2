#include "tools/inspect/top_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/story.h"
#include "tools/inspect/tail_text.h"
#include "zpost/protocol/outcomes.h"

namespace zpost::inspect {
namespace {

using cli::Ink;

constexpr std::size_t kHeadLines = 4;   // Broker, its numbers, traffic, tabs.
constexpr std::size_t kTitleLines = 1;  // Of the columns, or whose envelopes.
constexpr std::size_t kFootLines = 1;
constexpr std::size_t kMarkColumns = 2;
constexpr std::size_t kLeastName = 16;
constexpr std::size_t kMostName = 64;
constexpr std::size_t kWide = 100;  // Room for two curves.

constexpr std::array<std::string_view, 15> kHelp{
    "1 2 3, p t v     peers, topics, services",
    "s or >, <        order by the next or previous column; r: the other way round",
    "up down PgUp PgDn Home End   move",
    "Enter            the latest envelopes of the cursor's row, from the recorder;",
    "                 again: the life of one of them.  Esc: back",
    "/                a filter: only such traffic counts, such as  from = \"lab-*\"",
    "                 (docs/filter.md); empty: all.  Ctrl-U clears, Esc keeps the old",
    "space            the picture stands still, or goes on",
    "q                quit",
    "",
    "! slow: takes nothing, much or more and more waits, copies dropped     ~ away",
    "| must wait: its credit is used up, or its recipient takes too little",
    "SENT, TAKEN      envelopes of the latest second that the peer sent, and took",
    "UNACK            sent to it and not acknowledged.  FAILED: since top began",
    "P50 P99          until taken (a call: answered), of the latest 5 to 10 seconds"};

std::string visible(std::string_view text, std::size_t columns) {
  return cli::shortened(cli::visible_line(text), columns);
}

std::string right(const std::string& text, std::size_t columns) {
  const std::size_t used = cli::columns_of(text);
  return std::string(columns - std::min(columns, used), ' ') + text;
}

std::string left(std::string_view text, std::size_t columns) {
  return cli::padded(visible(text, columns), columns);
}

/// One line of spans, cut at the width.
class LineMaker {
 public:
  explicit LineMaker(std::size_t columns) : room_(columns) {}

  LineMaker& add(std::string_view text, Ink ink = Ink::kPlain, bool marked = false) {
    std::string shown = visible(text, room_);
    room_ -= std::min(room_, cli::columns_of(shown));
    if (!shown.empty()) line_.push_back({std::move(shown), ink, marked});
    return *this;
  }

  [[nodiscard]] std::size_t room() const { return room_; }

  [[nodiscard]] TopLine take() { return std::move(line_); }

 private:
  TopLine line_;
  std::size_t room_;
};

TopLine line_of(std::string_view text, std::size_t columns, Ink ink = Ink::kPlain,
                bool marked = false) {
  return LineMaker(columns).add(text, ink, marked).take();
}

TopLine broker_line(const TopPicture& picture) {
  const std::string clock = cli::local_time(picture.model.now_ns(), picture.model.now_ns());
  const std::string name = picture.broker.empty() || picture.broker == picture.endpoint
                               ? picture.endpoint
                               : fmt::format("{} at {}", picture.broker, picture.endpoint);
  LineMaker line(picture.columns);
  line.add("zpost top  ", Ink::kBold);
  const std::size_t room = line.room() - std::min(line.room(), clock.size() + 1);
  line.add(left(name, room), Ink::kBold).add(" ").add(clock);
  return line.take();
}

std::string recorder_text(const TopModel& model) {
  const BrokerStats& numbers = model.numbers();
  if (numbers.recorder_oldest_ns == 0 || numbers.recorder_oldest_ns > model.now_ns()) {
    return "recorder empty or off";
  }
  constexpr double kNsPerMinute = 6e10;
  const double minutes =
      static_cast<double>(model.now_ns() - numbers.recorder_oldest_ns) / kNsPerMinute;
  std::string text = fmt::format("recorder holds {:.1f} min", minutes);
  if (numbers.recorder_limit > 0) {
    text += fmt::format(", {} of {}", cli::size_text(numbers.recorder_bytes),
                        cli::size_text(numbers.recorder_limit));
  }
  return text;
}

TopLine numbers_line(const TopPicture& picture) {
  const TopModel& model = picture.model;
  const BrokerStats& numbers = model.numbers();
  LineMaker line(picture.columns);
  if (!model.answers()) {
    return line.add("the broker does not answer", Ink::kRed).take();
  }
  if (model.answered_ns() == 0) return line.add("asking the broker", Ink::kDim).take();
  if (!picture.taps) {
    return line.add("the broker's tap is not open: what passes now may not be counted", Ink::kRed)
        .take();
  }
  if (numbers.started_ns != 0) {
    line.add(fmt::format("up {}  ", cli::age(numbers.started_ns, model.now_ns())));
  }
  line.add(fmt::format("{}  memory {}  ", cli::counted(numbers.peers, "peer"),
                       cli::size_text(numbers.memory)));
  line.add(recorder_text(model));
  return line.take();
}

/// `no-peer 9, full 3`: the most frequent first.
std::string outcomes_text(std::vector<std::pair<std::uint64_t, std::string>> counts) {
  std::ranges::stable_sort(counts, std::ranges::greater{},
                           &std::pair<std::uint64_t, std::string>::first);
  std::string text;
  for (const auto& [count, name] : counts) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, short_count(count));
  }
  return text;
}

TopLine traffic_line(const TopPicture& picture) {
  const TopModel& model = picture.model;
  const BrokerStats& numbers = model.numbers();
  LineMaker line(picture.columns);
  if (picture.state.paused) line.add("PAUSED", Ink::kYellow, true).add("  ");
  line.add(fmt::format("in {}/s  out {}/s  held {}", short_count(model.in().rate()),
                       short_count(model.out().rate()), short_count(numbers.held)));
  if (model.missed() > 0) {
    line.add(fmt::format("  missed {}", short_count(model.missed())), Ink::kYellow);
  }
  const Ink ink = model.failed().rate() > 0 ? Ink::kRed : Ink::kPlain;
  line.add(fmt::format("  failed {}/s", short_count(model.failed().rate())), ink);
  if (numbers.failed > 0) {
    std::vector<std::pair<std::uint64_t, std::string>> counts;
    for (const auto& [name, count] : numbers.failed_by) counts.emplace_back(count, name);
    line.add(fmt::format(", {} ever ({})", short_count(numbers.failed),
                         outcomes_text(std::move(counts))));
  }
  return line.take();
}

TopLine tabs_line(const TopPicture& picture) {
  LineMaker line(picture.columns);
  for (std::size_t i = 0; i < kTopTabs; ++i) {
    const auto tab = static_cast<TopTab>(i);
    line.add(fmt::format(" {} {} ", i + 1, title_of(tab)), Ink::kBold, tab == picture.state.tab);
    line.add(" ");
  }
  if (picture.state.filter.empty()) return line.take();
  return line.add(" only ", Ink::kCyan).add(picture.state.filter, Ink::kCyan).take();
}

/// How the width is shared out.
struct Widths {
  std::size_t name = kLeastName;
  std::size_t traffic = 0;  // Curves; 0: there is none.
  std::size_t latency = 0;
};

Widths widths_of(TopTab tab, std::size_t columns) {
  std::size_t used = kMarkColumns + kLeastName;
  for (const TopColumn& column : columns_of(tab)) used += column.columns + 1;
  std::size_t room = columns - std::min(columns, used);
  Widths widths;
  const std::size_t more = std::min(room / 3, kMostName - kLeastName);
  widths.name += columns < kWide ? 0 : more;
  room -= columns < kWide ? 0 : more;
  if (columns >= kWide) widths.traffic = room / 2 - 1;
  room -= widths.traffic == 0 ? 0 : widths.traffic + 1;
  widths.latency = room > 1 ? room - 1 : 0;
  // Of copies nobody tells when they were taken.
  if (tab == TopTab::kTopics) {
    widths.traffic += std::exchange(widths.latency, 0) + (widths.traffic > 0 ? 1 : 0);
  }
  widths.latency = std::min(widths.latency, Meter::kSeconds);
  widths.traffic = std::min(widths.traffic, Meter::kSeconds);
  return widths;
}

std::string title_with_order(std::string_view title, const TopOrder& order, bool is_it) {
  if (!is_it) return std::string(title);
  return std::string(order.reversed ? "▲" : "▼") + std::string(title);
}

TopLine column_titles(const TopPicture& picture) {
  const TopState& state = picture.state;
  const Widths widths = widths_of(state.tab, picture.columns);
  const TopOrder& order = state.order();
  std::string_view name = title_of(state.tab);
  name.remove_suffix(1);
  std::string text = std::string(kMarkColumns, ' ') +
                     left(title_with_order(name, order, order.column == 0), widths.name);
  std::size_t place = 0;
  for (const TopColumn& column : columns_of(state.tab)) {
    const bool is_it = order.column == ++place;
    text += right(title_with_order(column.title, order, is_it), column.columns + 1);
  }
  if (widths.traffic > 0) text += " " + left("TRAFFIC", widths.traffic);
  if (widths.latency > 0) text += " " + left("LATENCY", widths.latency);
  return line_of(cli::padded(text, picture.columns), picture.columns, Ink::kPlain, true);
}

struct Mark {
  std::string_view text = " ";
  Ink ink = Ink::kPlain;
};

Mark mark_of(const TopRow& row, std::uint64_t now_ns) {
  if (!slowness(row, now_ns).empty()) return {"!", Ink::kRed};
  if (row.stalled) return {"|", Ink::kYellow};
  if (row.state == "away" || row.state == "expected") return {"~", Ink::kYellow};
  return {};
}

std::vector<std::uint64_t> traffic_of(const TopRow& row, std::size_t seconds) {
  std::vector<std::uint64_t> sums = row.in.latest(seconds);
  const std::vector<std::uint64_t> out = row.out.latest(seconds);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += out[i];
  return sums;
}

TopLine row_line(const TopPicture& picture, const TopRow& row, bool has_cursor) {
  const Widths widths = widths_of(picture.state.tab, picture.columns);
  const Mark mark = mark_of(row, picture.model.now_ns());
  LineMaker line(picture.columns);
  line.add(mark.text, mark.ink, has_cursor).add(" ", Ink::kPlain, has_cursor);
  line.add(left(row.name, widths.name), mark.ink, has_cursor);
  for (const TopColumn& column : columns_of(picture.state.tab)) {
    const std::uint64_t number = column.number(row);
    const bool is_bad = column.title == "FAILED" && number > 0;
    line.add(right(column.text(number), column.columns + 1), is_bad ? Ink::kRed : Ink::kPlain,
             has_cursor);
  }
  if (widths.traffic > 0) {
    line.add(" " + curve(traffic_of(row, widths.traffic)), Ink::kCyan, has_cursor);
  }
  if (widths.latency > 0) {
    line.add(" " + curve(row.latencies.worst().latest(widths.latency)), Ink::kCyan, has_cursor);
  }
  return line.take();
}

/// The page on which the cursor is.
std::size_t first_of_page(std::size_t cursor, std::size_t page) {
  return page == 0 ? 0 : cursor / page * page;
}

void draw_table(const TopPicture& picture, std::size_t page, std::vector<TopLine>& lines) {
  lines.push_back(column_titles(picture));
  const std::vector<const TopRow*>& rows = picture.shown.rows;
  const std::size_t cursor = picture.state.row_of(rows);
  const bool is_whole = picture.lines == 0;
  const std::size_t first = is_whole ? 0 : first_of_page(cursor, page);
  const std::size_t end = is_whole ? rows.size() : std::min(rows.size(), first + page);
  for (std::size_t i = first; i < end; ++i) {
    lines.push_back(row_line(picture, *rows[i], !is_whole && i == cursor));
  }
  if (rows.empty()) {
    lines.push_back(
        line_of(picture.state.filter.empty() ? "  none" : "  nothing that the filter wants so far",
                picture.columns, Ink::kDim));
  }
}

/// Who it is whose envelopes are shown.
TopLine chosen_line(const TopPicture& picture) {
  const TopState& state = picture.state;
  LineMaker line(picture.columns);
  line.add(state.chosen, Ink::kBold);
  const TopRow* const row = picture.model.find(state.tab, state.chosen);
  if (row == nullptr) return line.take();
  if (state.tab == TopTab::kPeers) {
    line.add(fmt::format("  {}  queued {}, {}  unacknowledged {}",
                         row->state.empty() ? "not here" : row->state, short_count(row->queued),
                         cli::size_text(row->queued_bytes), short_count(row->unacked)));
  }
  const std::string slow = slowness(*row, picture.model.now_ns());
  if (!slow.empty()) line.add("  slow: " + slow, Ink::kRed);
  if (row->stalled) {
    line.add(row->stalled_by.empty() ? "  must wait for credit"
                                     : "  must wait for " + cli::visible_line(row->stalled_by),
             Ink::kYellow);
  }
  if (row->failures > 0) {
    std::vector<std::pair<std::uint64_t, std::string>> counts;
    for (const auto& [code, count] : row->failures_by) {
      counts.emplace_back(count, std::string(outcome_name(code)));
    }
    line.add("  failed: " + outcomes_text(std::move(counts)), Ink::kRed);
  }
  return line.take();
}

Ink ink_of_row(const TailLine& line) {
  if (line.event == TapEvent::kFailed) return Ink::kRed;
  if (line.event == TapEvent::kHeld) return Ink::kYellow;
  if (line.event == TapEvent::kAnswered && line.outcome != Outcome::kNone) return Ink::kRed;
  return Ink::kPlain;
}

void draw_envelopes(const TopPicture& picture, std::size_t page, std::vector<TopLine>& lines) {
  lines.push_back(chosen_line(picture));
  const std::vector<TopEnvelope>& all = picture.shown.envelopes;
  const std::size_t cursor = std::min(picture.state.cursor, all.empty() ? 0 : all.size() - 1);
  const std::size_t first = first_of_page(cursor, page);
  for (std::size_t i = first; i < std::min(all.size(), first + page); ++i) {
    std::string text = tail_text(all[i].line, cli::Palette(false), picture.columns);
    text.pop_back();  // The line feed.
    lines.push_back(line_of(left(text, picture.columns), picture.columns, ink_of_row(all[i].line),
                            i == cursor));
  }
  if (all.empty()) {
    lines.push_back(line_of("  the recorder has none", picture.columns, Ink::kDim));
  }
}

void draw_story(const TopPicture& picture, std::size_t page, std::vector<TopLine>& lines) {
  lines.push_back(
      line_of(fmt::format("{} #{}", picture.state.envelope.from, picture.state.envelope.first_id),
              picture.columns, Ink::kBold));
  const std::vector<std::string>& all = picture.shown.story;
  const std::size_t most = all.size() - std::min(all.size(), page);
  const std::size_t first = std::min(picture.state.scrolled, most);
  for (std::size_t i = first; i < std::min(all.size(), first + page); ++i) {
    lines.push_back(line_of(all[i], picture.columns));
  }
}

TopLine foot_line(const TopPicture& picture) {
  const TopState& state = picture.state;
  LineMaker line(picture.columns);
  if (state.typing) {
    if (!state.filter_fault.empty()) return line.add(state.filter_fault, Ink::kRed).take();
    // Of a long one the end, where it is typed.
    const std::string typed = cli::visible_line(state.typed);
    std::string_view shown = typed;
    while (cli::columns_of(shown) + 3 > picture.columns) (void)cli::next_character(shown);
    return line.add("/", Ink::kBold).add(shown).add("_", Ink::kBold).take();
  }
  if (!picture.message.empty()) return line.add(picture.message, Ink::kYellow).take();
  if (state.help) return line.add("q quits, any other key goes back", Ink::kDim).take();
  switch (state.look) {
    case TopLook::kTable:
      return line.add("q quit  ? help  s sort  / filter  space pause  Enter look inside", Ink::kDim)
          .take();
    case TopLook::kEnvelopes:
      return line.add("Enter the life of one  Esc back  space pause  q quit", Ink::kDim).take();
    case TopLook::kStory:
      return line.add("Esc back  up down scroll  q quit", Ink::kDim).take();
  }
  return line.take();
}

std::vector<TopLine> too_small(const TopPicture& picture) {
  std::vector<TopLine> lines;
  lines.push_back(line_of(fmt::format("top wants {}×{}, here is {}×{}; q quits", kLeastColumns,
                                      kLeastLines, picture.columns, picture.lines),
                          picture.columns));
  lines.resize(picture.lines);
  return lines;
}

}  // namespace

std::size_t page_of(std::size_t lines) {
  constexpr std::size_t kTaken = kHeadLines + kTitleLines + kFootLines;
  return lines > kTaken ? lines - kTaken : 1;
}

std::vector<TopLine> draw(const TopPicture& picture) {
  const bool is_whole = picture.lines == 0;
  if (!is_whole && (picture.columns < kLeastColumns || picture.lines < kLeastLines)) {
    return too_small(picture);
  }
  std::vector<TopLine> lines{broker_line(picture), numbers_line(picture), traffic_line(picture),
                             tabs_line(picture)};
  const std::size_t page = page_of(picture.lines);
  if (picture.state.help) {
    lines.emplace_back();
    for (const std::string_view each : kHelp) lines.push_back(line_of(each, picture.columns));
  } else if (picture.state.look == TopLook::kTable) {
    draw_table(picture, page, lines);
  } else if (picture.state.look == TopLook::kEnvelopes) {
    draw_envelopes(picture, page, lines);
  } else {
    draw_story(picture, page, lines);
  }
  if (is_whole) return lines;
  lines.resize(picture.lines - kFootLines);
  lines.push_back(foot_line(picture));
  return lines;
}

std::string plain_text(const std::vector<TopLine>& lines) {
  std::string text;
  for (const TopLine& line : lines) {
    for (const TopSpan& span : line) text += span.text;
    while (text.ends_with(' ')) text.pop_back();
    text += '\n';
  }
  return text;
}

}  // namespace zpost::inspect
