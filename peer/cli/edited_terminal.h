// A chat on a terminal: line editing and history by libedit.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "peer/cli/chat_terminal.h"

struct editline;  // libedit's.
struct history;

namespace zpost::cli {

/// Owns standard input and output while it lives. At most one.
class EditedTerminal final : public ChatTerminal {
 public:
  /// History is kept in `history_file` if that can be read and written.
  explicit EditedTerminal(std::string history_file);
  ~EditedTerminal() override;
  EditedTerminal(const EditedTerminal&) = delete;
  EditedTerminal& operator=(const EditedTerminal&) = delete;

  /// The typed line disappears when it is accepted: whoever called shows what it stands for.
  [[nodiscard]] std::optional<std::string> read_line(const Wait& wait) override;
  [[nodiscard]] bool print(std::string_view text) override;

  /// A terminal can only go away.
  [[nodiscard]] bool failed() const override { return false; }

  void set_prompt(const std::string& prompt) override;

  void set_completer(Completer completer) override { completer_ = std::move(completer); }

  [[nodiscard]] std::size_t columns() const override;
  bool discard_input() override;
  void redraw() override;

  [[nodiscard]] bool is_interactive() const override { return true; }

 private:
  struct Callbacks;  // What libedit calls.

  [[nodiscard]] int next_character(wchar_t& character);
  [[nodiscard]] unsigned char complete_word();
  void erase();
  void erase_accepted(std::wstring_view line);
  void refresh();
  void remember(const std::string& line);
  void save_history();

  std::string history_file_;
  std::string prompt_;  // With marks around the colours.
  std::size_t prompt_columns_ = 0;
  history* history_ = nullptr;
  editline* editor_ = nullptr;
  const Wait* wait_ = nullptr;  // Set while a line is edited.
  bool begun_ = false;          // A character of it was asked for.
  std::string partial_;         // Bytes of a character that is not complete.
  Completer completer_;
  std::wstring tabbed_;  // What stood before the cursor when Tab had nothing to add.
};

/// Where the history belongs: below $XDG_STATE_HOME or ~/.local/state. Empty: there is no place.
[[nodiscard]] std::string history_path();

}  // namespace zpost::cli
