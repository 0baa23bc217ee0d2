#include "tools/inspect/top_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "protocol/filter/filter.h"

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
      return fmt::format("service = \"{}\"", quoted);
  }
  return "";
}

std::vector<TopEnvelope> latest_envelopes(const std::vector<TapEntry>& records, std::size_t most) {
  // A publish has as many ends as subscribers.
  std::map<std::tuple<std::string, std::uint64_t, std::string>, std::size_t> places;
  std::vector<TopEnvelope> all;
  std::vector<TailLine> lines;
  for (const TapEntry& record : records) {
    lines.clear();
    append_lines(record, lines);
    for (TailLine& line : lines) {
      if (!is_of_an_envelope(line) || line.from.empty()) continue;
      const auto [place, fresh] =
          places.try_emplace({line.from, line.first_id, line.to}, all.size());
      if (fresh) {
        all.push_back({std::move(line)});
      } else {
        if (line.kind_number == 0) line.kind_number = all[place->second].line.kind_number;
        all[place->second].line = std::move(line);
      }
    }
  }
  std::ranges::stable_sort(all, std::ranges::greater{},
                           [](const TopEnvelope& each) { return each.line.time_ns; });
  if (all.size() > most) all.resize(most);
  return all;
}

}  // namespace zpost::inspect
