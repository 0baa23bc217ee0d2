// The terminal of `top`: keys in, lines out.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/inspect/top_state.h"
#include "tools/inspect/top_view.h"

namespace zpost::inspect {

/// Takes the whole terminal while it lives, and gives it back as it was. One at a time. Thread:
/// one.
class TopScreen {
 public:
  /// Whether there is a terminal at all; if not, that was said.
  [[nodiscard]] static bool is_possible();

  /// REQUIRES: is_possible(). Nothing: the terminal cannot do it; why was said.
  [[nodiscard]] static std::unique_ptr<TopScreen> open();
  ~TopScreen();
  TopScreen(const TopScreen&) = delete;
  TopScreen& operator=(const TopScreen&) = delete;

  /// As it is now.
  [[nodiscard]] std::size_t columns() const;
  [[nodiscard]] std::size_t lines() const;

  void show(const std::vector<TopLine>& lines);

  /// The next key that was pressed; never waits. A change of size is none, but is seen by then.
  [[nodiscard]] std::optional<KeyPress> key();

 private:
  TopScreen() = default;

  bool coloured_ = false;
};

/// Catches what is written to standard error while it lives: a terminal that is full of tables has
/// no place for it. What nobody took comes out at the end. One at a time. Thread: one.
class CaughtMessages {
 public:
  CaughtMessages();
  ~CaughtMessages();
  CaughtMessages(const CaughtMessages&) = delete;
  CaughtMessages& operator=(const CaughtMessages&) = delete;

  /// The latest whole line that is new; empty: there is none. Never waits.
  [[nodiscard]] std::string take();

 private:
  void read();

  std::string waiting_;
  int error_ = -1;  // What standard error was; -1: nothing is caught.
  int reading_ = -1;
};

}  // namespace zpost::inspect
