// Decoders that are programs of the user's own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/filter/text_pattern.h"
#include "tools/inspect/shown_envelopes.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// Run for one body at a time. Bounded: what a command writes, and how long it may take.
class ExternalDecoders {
 public:
  static constexpr std::size_t kMaxOutput = 64 << 10;
  static constexpr std::chrono::seconds kPatience{2};

  /// `TYPE=COMMAND`: content types, with `*` for any characters, and a line for the shell. The
  /// first that matches is used. Error: what is wrong.
  [[nodiscard]] Result<void> add(std::string_view text);

  /// What its command makes of the body: its standard output, or in parentheses why there is none.
  /// Nothing: no command is for its content type. Blocks until the command ends.
  [[nodiscard]] std::optional<std::string> decode(const ShownEnvelope& envelope) const;

 private:
  struct Decoder {
    filter::TextPattern type;
    std::string command;
  };

  std::vector<Decoder> decoders_;
};

}  // namespace zpost::inspect
