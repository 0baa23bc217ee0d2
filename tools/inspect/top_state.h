// What a person looks at in `top`, and what keys do. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/inspect/top_columns.h"

namespace zpost::inspect {

/// An envelope, or a run of them that shared their fate, among the latest of a peer.
struct TopEnvelope {
  TailLine line;  // What became of it last.
};

enum class TopKey : std::uint8_t {
  kText,  // A character.
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
  kEnter,
  kEscape,
  kErase,
  kEraseAll,
};

struct KeyPress {
  TopKey key = TopKey::kText;
  std::string text = {};  // kText only: one character of UTF-8.
};

enum class TopLook : std::uint8_t {
  kTable,
  kEnvelopes,  // The latest of what was chosen in the table.
  kStory,      // Of an envelope chosen there.
};

/// What the shell is to do.
enum class TopWish : std::uint8_t {
  kNothing,
  kQuit,
  kFilter,     // `filter` has changed.
  kPause,      // `paused` has.
  kEnvelopes,  // Those of `chosen` are wanted, from now on.
  kStory,      // That of `envelope` is.
  kBack,       // Neither is any more.
};

/// What there is to choose from.
struct TopShown {
  std::vector<const TopRow*> rows = {};     // Of the table, in their order.
  std::vector<TopEnvelope> envelopes = {};  // kEnvelopes.
  std::vector<std::string> story = {};      // kStory: its lines, visible.
};

/// Thread: one.
class TopState {
 public:
  TopLook look = TopLook::kTable;
  TopTab tab = TopTab::kPeers;
  std::array<TopOrder, kTopTabs> orders{};
  std::array<std::string, kTopTabs> cursors{};  // Names: a row keeps it wherever it goes.
  bool paused = false;
  bool help = false;
  bool typing = false;       // A filter …
  std::string typed;         // … so far.
  std::string filter;        // In force; empty: none.
  std::string filter_fault;  // What is wrong with the one typed, in one line.
  std::string chosen;        // kEnvelopes: whose.
  std::size_t cursor = 0;    // kEnvelopes: which of them.
  std::size_t scrolled = 0;  // kStory: lines above the first that is seen.
  TailLine envelope = {};    // kStory: which.

  /// Does what the key says. `page`: how many of what is shown there is room for.
  [[nodiscard]] TopWish press(const KeyPress& press, const TopShown& shown, std::size_t page);

  [[nodiscard]] TopOrder& order() { return orders[static_cast<std::size_t>(tab)]; }

  [[nodiscard]] const TopOrder& order() const { return orders[static_cast<std::size_t>(tab)]; }

  /// Which row has the cursor.
  [[nodiscard]] std::size_t row_of(const std::vector<const TopRow*>& rows) const;

 private:
  TopWish press_letter(const std::string& letter);
  TopWish type(const KeyPress& press);
  TopWish enter(const TopShown& shown);
  TopWish escape();
  void move(TopKey key, const TopShown& shown, std::size_t page);
  void order_by(std::size_t steps);
};

/// The filter for what was chosen: `peer = "alice"`. That for a service wants what became of all
/// calls: records tell with which worker it did, not of which service.
[[nodiscard]] std::string filter_for(TopTab tab, const std::string& name);

/// The latest fate of each run that the records of a recall tell of, newest first. A call is for
/// its service whoever has it. `service`: only calls to it; empty: all.
[[nodiscard]] std::vector<TopEnvelope> latest_envelopes(const std::vector<TapEntry>& records,
                                                        std::size_t most,
                                                        const std::string& service = "");

}  // namespace zpost::inspect
