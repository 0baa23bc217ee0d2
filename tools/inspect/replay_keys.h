// What somebody at the keyboard wants of a replay.
#pragma once

#include <termios.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zpost::inspect {

struct ReplayKey {
  enum class What : std::uint8_t {
    kStep,  // `count` more, and stand still.
    kSkip,  // Pass over `count` without sending them.
    kGoOn,
    kPause,  // Or go on, if it stands still.
    kQuit,
    kHelp,
  };
  What what = What::kHelp;
  std::uint64_t count = 1;
};

/// Makes of keys what they mean: space (or Enter), `b` and `s` with a number and Enter behind them,
/// `c`, `p`, `q`; anything else asks for help. Pure.
class ReplayKeyReader {
 public:
  static constexpr std::uint64_t kMostAtOnce = 1'000'000;
  static constexpr std::uint64_t kUsualBurst = 10;

  /// Nothing: it is part of a number.
  [[nodiscard]] std::optional<ReplayKey> take(char key);

  /// What is typed so far: `b 12`; empty: nothing.
  [[nodiscard]] std::string typed() const;

 private:
  [[nodiscard]] ReplayKey finish();

  char command_ = '\0';  // `b` or `s`, until its number is there.
  std::optional<std::uint64_t> number_;
};

inline constexpr std::string_view kReplayKeys =
    "space: next  b N Enter: N at once  s N Enter: skip N  c: go on  p: pause  q: end";

/// The terminal on standard input, each key by itself and unseen. At most one. Thread: one.
class ReplayKeyboard {
 public:
  /// Null: standard input is no terminal.
  [[nodiscard]] static std::unique_ptr<ReplayKeyboard> open();
  /// As the terminal was before; a later signal, which ends the program at once, does the same.
  ~ReplayKeyboard();
  ReplayKeyboard(const ReplayKeyboard&) = delete;
  ReplayKeyboard& operator=(const ReplayKeyboard&) = delete;

  /// What was pressed since the last call; never waits.
  [[nodiscard]] std::vector<ReplayKey> take();

  [[nodiscard]] std::string typed() const { return reader_.typed(); }

 private:
  explicit ReplayKeyboard(const termios& before) : before_(before) {}

  termios before_;
  ReplayKeyReader reader_;
};

}  // namespace zpost::inspect
