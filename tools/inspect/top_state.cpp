#include "tools/inspect/top_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "protocol/filter/filter.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

/// Where a cursor at `at` goes among `count`.
std::size_t moved(TopKey key, std::size_t at, std::size_t count, std::size_t page) {
  if (count == 0) return 0;
  const std::size_t last = count - 1;
  switch (key) {
    case TopKey::kUp:
      return at - std::min<std::size_t>(at, 1);
    case TopKey::kDown:
      return std::min(at + 1, last);
    case TopKey::kPageUp:
      return at - std::min(at, page);
    case TopKey::kPageDown:
      return std::min(at + page, last);
    case TopKey::kHome:
      return 0;
    case TopKey::kEnd:
      return last;
    default:
      return std::min(at, last);
  }
}

void erase_last_character(std::string& text) {
  while (!text.empty()) {
    const auto byte = static_cast<unsigned char>(text.back());
    text.pop_back();
    if ((byte & 0xc0U) != 0x80U) return;  // It began the character.
  }
}

bool is_of_an_envelope(const TailLine& line) {
  switch (line.event) {
    case TapEvent::kReceived:
    case TapEvent::kForwarded:
    case TapEvent::kHeld:
    case TapEvent::kFailed:
    case TapEvent::kDelivered:
    case TapEvent::kAssigned:
    case TapEvent::kAnswered:
      return true;
    default:
      return false;
  }
}

/// What became last of each of the envelopes that it is told of. Thread: one.
class Fates {
 public:
  /// `service`: only its calls; empty: all.
  explicit Fates(const std::string& service)
      : wanted_(service.empty() ? "" : kServiceMark + service) {}

  void add(TailLine line) {
    if (line.event == TapEvent::kReceived && line.to.starts_with(kServiceMark)) {
      calls_.insert_or_assign({line.from, line.first_id}, Call{line.last_id, line.to});
    }
    if (const Call* const call = call_of(line)) line.to = call->service;
    if (!wanted_.empty() && line.to != wanted_) return;
    const auto [place, fresh] =
        places_.try_emplace({line.from, line.first_id, line.to}, all_.size());
    if (fresh) return all_.push_back({std::move(line)});
    TailLine& before = all_[place->second].line;
    // Who is asked may answer before it acknowledges.
    const bool is_over = before.event == TapEvent::kAnswered || before.event == TapEvent::kFailed;
    if (is_over && line.event == TapEvent::kDelivered) return;
    if (line.kind_number == 0) line.kind_number = before.kind_number;
    before = std::move(line);
  }

  [[nodiscard]] std::vector<TopEnvelope> latest(std::size_t most) && {
    std::ranges::stable_sort(all_, std::ranges::greater{},
                             [](const TopEnvelope& each) { return each.line.time_ns; });
    if (all_.size() > most) all_.resize(most);
    return std::move(all_);
  }

 private:
  /// A run of them, by its sender and its first id.
  struct Call {
    std::uint64_t last_id = 0;
    std::string service = {};
  };

  /// Null: it is none, or was received before what is known.
  [[nodiscard]] const Call* call_of(const TailLine& line) const {
    const auto after = calls_.upper_bound({line.from, line.first_id});
    if (after == calls_.begin()) return nullptr;
    const auto& [key, call] = *std::prev(after);
    return key.first == line.from && line.first_id <= call.last_id ? &call : nullptr;
  }

  std::string wanted_;
  std::map<std::pair<std::string, std::uint64_t>, Call> calls_;
  // A publish has as many ends as subscribers.
  std::map<std::tuple<std::string, std::uint64_t, std::string>, std::size_t> places_;
  std::vector<TopEnvelope> all_;
};

}  // namespace

TopWish TopState::press(const KeyPress& press, const TopShown& shown, std::size_t page) {
  if (typing) return type(press);
  if (help) {
    help = false;
    return press.key == TopKey::kText && press.text == "q" ? TopWish::kQuit : TopWish::kNothing;
  }
  switch (press.key) {
    case TopKey::kText:
      return press_letter(press.text);
    case TopKey::kEnter:
      return enter(shown);
    case TopKey::kEscape:
    case TopKey::kErase:
    case TopKey::kEraseAll:
      return escape();
    default:
      move(press.key, shown, page);
      return TopWish::kNothing;
  }
}

TopWish TopState::press_letter(const std::string& letter) {
  if (letter == "q") return TopWish::kQuit;
  if (letter == "?" || letter == "h") {
    help = true;
  } else if (letter == " ") {
    paused = !paused;
    return TopWish::kPause;
  } else if (letter == "/") {
    typing = true;
    typed = filter;
    filter_fault.clear();
  } else if (look != TopLook::kTable) {
    return TopWish::kNothing;
  } else if (letter == "s" || letter == ">") {
    order_by(1);
  } else if (letter == "<") {
    order_by(columns_of(tab).size());
  } else if (letter == "r") {
    order().reversed = !order().reversed;
  } else if (letter == "1" || letter == "p") {
    tab = TopTab::kPeers;
  } else if (letter == "2" || letter == "t") {
    tab = TopTab::kTopics;
  } else if (letter == "3" || letter == "v") {
    tab = TopTab::kServices;
  }
  return TopWish::kNothing;
}

void TopState::order_by(std::size_t steps) {
  TopOrder& by = order();
  by.column = (by.column + steps) % (columns_of(tab).size() + 1);  // And the name.
}

TopWish TopState::type(const KeyPress& press) {
  switch (press.key) {
    case TopKey::kText:
      if (typed.size() + press.text.size() <= filter::kMaxFilterBytes) typed += press.text;
      filter_fault.clear();
      return TopWish::kNothing;
    case TopKey::kErase:
      erase_last_character(typed);
      filter_fault.clear();
      return TopWish::kNothing;
    case TopKey::kEraseAll:
      typed.clear();
      filter_fault.clear();
      return TopWish::kNothing;
    case TopKey::kEscape:
      typing = false;
      filter_fault.clear();
      return TopWish::kNothing;
    case TopKey::kEnter:
      break;
    default:
      return TopWish::kNothing;
  }
  if (typed.find_first_not_of(' ') == std::string::npos) typed.clear();
  if (!typed.empty()) {
    const auto compiled = filter::Filter::compile(typed);
    if (!compiled) {
      filter_fault = compiled.error().on_one_line(typed);
      return TopWish::kNothing;
    }
  }
  typing = false;
  if (typed == filter) return TopWish::kNothing;
  filter = typed;
  return TopWish::kFilter;
}

TopWish TopState::enter(const TopShown& shown) {
  switch (look) {
    case TopLook::kTable:
      if (shown.rows.empty()) return TopWish::kNothing;
      chosen = shown.rows[row_of(shown.rows)]->name;
      look = TopLook::kEnvelopes;
      cursor = 0;
      return TopWish::kEnvelopes;
    case TopLook::kEnvelopes:
      if (shown.envelopes.empty()) return TopWish::kNothing;
      envelope = shown.envelopes[std::min(cursor, shown.envelopes.size() - 1)].line;
      scrolled = 0;
      look = TopLook::kStory;
      return TopWish::kStory;
    case TopLook::kStory:
      return TopWish::kNothing;
  }
  return TopWish::kNothing;
}

TopWish TopState::escape() {
  switch (look) {
    case TopLook::kTable:
      return TopWish::kNothing;
    case TopLook::kEnvelopes:
      look = TopLook::kTable;
      return TopWish::kBack;
    case TopLook::kStory:
      look = TopLook::kEnvelopes;
      return TopWish::kEnvelopes;
  }
  return TopWish::kNothing;
}

void TopState::move(TopKey key, const TopShown& shown, std::size_t page) {
  switch (look) {
    case TopLook::kTable: {
      if (shown.rows.empty()) return;
      const std::size_t at = moved(key, row_of(shown.rows), shown.rows.size(), page);
      cursors[static_cast<std::size_t>(tab)] = shown.rows[at]->name;
      return;
    }
    case TopLook::kEnvelopes:
      cursor = moved(key, cursor, shown.envelopes.size(), page);
      return;
    case TopLook::kStory: {
      const std::size_t above = shown.story.size() - std::min(shown.story.size(), page);
      scrolled = moved(key, scrolled, above + 1, page);
      return;
    }
  }
}

std::size_t TopState::row_of(const std::vector<const TopRow*>& rows) const {
  const std::string& name = cursors[static_cast<std::size_t>(tab)];
  const auto found = std::ranges::find(rows, name, &TopRow::name);
  return found == rows.end() ? 0 : static_cast<std::size_t>(found - rows.begin());
}

std::string filter_for(TopTab tab, const std::string& name) {
  std::string quoted;
  for (const char c : name) {
    if (c == '"' || c == '\\' || c == '*') quoted += '\\';
    quoted += c;
  }
  switch (tab) {
    case TopTab::kPeers:
      return fmt::format("peer = \"{}\"", quoted);
    case TopTab::kTopics:
      return fmt::format("topic = \"{}\"", quoted);
    case TopTab::kServices:
      return fmt::format(
          "service = \"{}\" or (kind = call and event in (assigned, answered, failed))", quoted);
  }
  return "";
}

std::vector<TopEnvelope> latest_envelopes(const std::vector<TapEntry>& records, std::size_t most,
                                          const std::string& service) {
  Fates fates(service);
  std::vector<TailLine> lines;
  for (const TapEntry& record : records) {
    lines.clear();
    append_lines(record, lines);
    for (TailLine& line : lines) {
      if (is_of_an_envelope(line) && !line.from.empty()) fates.add(std::move(line));
    }
  }
  return std::move(fates).latest(most);
}

}  // namespace zpost::inspect
