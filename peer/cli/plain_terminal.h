// A chat over pipes: lines in, lines out.
#pragma once

#include "peer/cli/chat_terminal.h"
#include "peer/cli/shared/output.h"

namespace zpost::cli {

class PlainTerminal final : public ChatTerminal {
 public:
  [[nodiscard]] std::optional<std::string> read_line(const Wait& wait) override;
  [[nodiscard]] bool print(std::string_view text) override;

  [[nodiscard]] bool failed() const override { return output_.failed(); }

  void set_prompt(const std::string& /*prompt*/) override {}

  void set_completer(Completer /*completer*/) override {}

  [[nodiscard]] std::size_t columns() const override { return 80; }

  bool discard_input() override { return false; }

  void redraw() override {}

  [[nodiscard]] bool is_interactive() const override { return false; }

 private:
  Output output_;
  std::string input_;
  bool ended_ = false;
};

}  // namespace zpost::cli
