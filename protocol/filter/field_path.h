// A field by itself, as somebody names what is to be shown. docs/filter.md.
#pragma once

#include <string_view>
#include <vector>

#include "protocol/filter/body_value.h"
#include "protocol/filter/filter_error.h"
#include "protocol/filter/syntax.h"
#include "zpost/protocol/result.h"

namespace zpost::filter {

/// `body.items[0].name`: the field `body` and a path into it.
struct FieldPath {
  Token field;  // Whether there is such a field is not checked.
  BodyPath path = {};
  std::size_t path_at = 0;  // Where the path begins in the text; 0: there is none.
};

/// Steps as they stand in the text, as find_in_body() takes them. Error: a step that is too large,
/// or one of too many.
[[nodiscard]] Result<BodyPath, FilterError> path_of(const std::vector<Step>& steps);

/// Reads one field, with the grammar of filters. Error: it is none, or more than one.
[[nodiscard]] Result<FieldPath, FilterError> parse_field(std::string_view text);

}  // namespace zpost::filter
