// Where a chat is typed and shown.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "peer/cli/chat_completion.h"

namespace zpost::cli {

/// Thread: one.
class ChatTerminal {
 public:
  /// Waits until standard input can be read, doing other work meanwhile. False: give up.
  using Wait = std::function<bool()>;

  /// What the Tab key adds to a line, given what stands before the cursor.
  using Completer = std::function<Completion(std::string_view before)>;

  virtual ~ChatTerminal() = default;

  /// The next line without its line feed. Nothing: the end of the input, or `wait` gave up.
  /// Other members may be called from within `wait`.
  [[nodiscard]] virtual std::optional<std::string> read_line(const Wait& wait) = 0;

  /// Shows whole lines; what is being typed stays as it is. False, now and for ever: they were not
  /// shown.
  [[nodiscard]] virtual bool print(std::string_view text) = 0;

  /// Whether print failed for another reason than that nobody is there any more.
  [[nodiscard]] virtual bool failed() const = 0;

  /// What stands before the typed line. Printable, ASCII.
  virtual void set_prompt(const std::string& prompt) = 0;

  virtual void set_completer(Completer completer) = 0;

  /// How wide it is.
  [[nodiscard]] virtual std::size_t columns() const = 0;

  /// Throws away what was typed so far. False: there was nothing.
  virtual bool discard_input() = 0;

  /// The size of the terminal may have changed, or others wrote on it.
  virtual void redraw() = 0;

  /// Whether a person sits there.
  [[nodiscard]] virtual bool is_interactive() const = 0;

 protected:
  ChatTerminal() = default;
  ChatTerminal(const ChatTerminal&) = default;
  ChatTerminal& operator=(const ChatTerminal&) = default;
};

}  // namespace zpost::cli
