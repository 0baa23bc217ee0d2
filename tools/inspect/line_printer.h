// How lines are shown: the same for all verbs that list them.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/palette.h"
#include "protocol/filter/filter.h"
#include "tools/inspect/exchange_pairs.h"
#include "tools/inspect/exchange_text.h"
#include "tools/inspect/line_fields.h"
#include "tools/inspect/line_template.h"
#include "tools/inspect/tail_line.h"

namespace CLI {
class App;
}  // namespace CLI

namespace zpost::inspect {

struct LineForm {
  bool json = false;
  bool pair = false;  // Requests with what answered them.
  std::vector<LineField> fields = {};
  std::optional<LineTemplate> shape = {};

  /// Whether lines are those that tail shows people by itself.
  [[nodiscard]] bool is_usual() const { return !json && !pair && fields.empty() && !shape; }
};

/// --format, --json, --fields and --pair. `form` must outlive the parsing.
void add_form_options(CLI::App& verb, LineForm& form);

/// What does not go together; empty: nothing.
[[nodiscard]] std::string contradiction_in(const LineForm& form);

/// Puts lines, or exchanges, into the output. What was missed, and a chosen form has no place for,
/// is said on standard error. Thread: one. All references must outlive it.
class LinePrinter {
 public:
  /// Completes a line that will be shown.
  using Decode = std::function<void(TailLine& line)>;

  /// `filter`: which exchanges are shown, of those of which a line is wanted; lines are shown as
  /// they are wanted.
  LinePrinter(const LineForm& form, std::uint64_t most, cli::Output& output, Decode decode,
              const std::optional<filter::Filter>& filter)
      : form_(form),
        most_(most),
        output_(output),
        palette_(cli::wants_colour(STDOUT_FILENO)),
        decode_(std::move(decode)),
        filter_(filter) {}

  /// The names of the columns, if there are any.
  void begin();

  /// To be given each line, for exchanges whether or not it is `wanted`.
  void add(TailLine& line, bool wanted, std::size_t columns);

  /// For now nothing more comes.
  void settle(std::size_t columns);

  /// Nothing more comes.
  void finish(std::size_t columns);

  [[nodiscard]] std::uint64_t shown() const { return shown_; }

  /// As many as were asked for. 0: there is no end.
  [[nodiscard]] bool is_enough() const { return most_ > 0 && shown_ >= most_; }

 private:
  void show(TailLine& line, std::size_t columns);
  void show_done(std::size_t columns);
  [[nodiscard]] bool wants(const Exchange& exchange, const ExchangeLines& lines) const;
  [[nodiscard]] std::string text(const TailLine& line, std::size_t columns) const;
  [[nodiscard]] bool has_place_for_missed() const;

  const LineForm& form_;
  const std::uint64_t most_;
  cli::Output& output_;
  const cli::Palette palette_;
  const Decode decode_;
  const std::optional<filter::Filter>& filter_;
  ExchangePairs pairs_;
  std::vector<Exchange> done_;
  std::uint64_t shown_ = 0;
};

}  // namespace zpost::inspect
