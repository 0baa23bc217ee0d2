// Lines in a form that somebody wrote: `{time} {from} -> {to} {body.temp}\n`. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/filter/filter_error.h"
#include "tools/inspect/line_fields.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// Text with fields in braces. `{{` and `}}` are braces, `\n`, `\t` and `\\` what they are
/// elsewhere. What has no line feed at its end gets one.
class LineTemplate {
 public:
  /// Error: what is wrong and where.
  [[nodiscard]] static Result<LineTemplate, filter::FilterError> parse(std::string_view text);

  [[nodiscard]] std::string text(const TailLine& line) const;

  [[nodiscard]] bool has_field(std::string_view name) const;

 private:
  struct Piece {
    std::string text = {};
    std::optional<LineField> field = {};  // Behind the text.
  };

  std::vector<Piece> pieces_;
};

}  // namespace zpost::inspect
