// Fields of lines that somebody chose to see. docs/inspect.md, "Chosen fields". Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/shared/json_fwd.h"
#include "protocol/filter/body_value.h"
#include "protocol/filter/filter_error.h"
#include "tools/inspect/tail_line.h"
#include "zpost/protocol/result.h"

namespace zpost::inspect {

/// One that exists. The names are those of filters, and a few more.
struct LineField {
  std::string name;            // As it was given: `body.temp`.
  std::size_t reader = 0;      // Which of the known names it begins with.
  filter::BodyPath path = {};  // Of a value in the body.
};

/// `from` or `body.items[0].name`. `at`: where `text` begins in what the user gave, for errors,
/// which say what exists.
[[nodiscard]] Result<LineField, filter::FilterError> line_field(std::string_view text,
                                                                std::size_t at);

/// `time,from,body.temp`. Error: the place, and what exists.
[[nodiscard]] Result<std::vector<LineField>, filter::FilterError> line_fields(
    std::string_view text);

/// The names that can be chosen, with commas between them.
[[nodiscard]] std::string line_field_names();

/// On one line and safe for a terminal, without tabs; empty: the line has no such thing.
[[nodiscard]] std::string field_text(const LineField& field, const TailLine& line);

/// Puts the value into `json` under the field's name, null if there is none; a latency as
/// `latency_ns`, the whole body as all our JSON has it.
void put_field(cli::Json& json, const LineField& field, const TailLine& line);

/// One object with a line feed.
[[nodiscard]] std::string fields_json(const std::vector<LineField>& fields, const TailLine& line);

/// One row with tabs between the columns and a line feed.
[[nodiscard]] std::string fields_row(const std::vector<LineField>& fields, const TailLine& line);

/// The same of the names.
[[nodiscard]] std::string fields_header(const std::vector<LineField>& fields);

}  // namespace zpost::inspect
