// Where two bodies differ. Pure.
#pragma once

#include <string>
#include <vector>

#include "tools/inspect/redacted_fields.h"
#include "tools/inspect/shown_envelopes.h"

namespace zpost::inspect {

struct BodyRules {
  /// Not looked at: keys from the outside in, `*` any, arrays are passed through.
  std::vector<FieldPath> ignored = {};
  bool ignores_body = false;  // Not looked at, all of it.
  bool by_value = false;      // Bodies that can be decoded: their values, however encoded.

  /// `body`, `body.time` or `time`. False: it is no path.
  [[nodiscard]] bool ignore(std::string_view path);
};

struct ValueDifference {
  std::string path;      // `body.items[0].name`, `body`.
  std::string recorded;  // Safe for a terminal; `-`: it was not there.
  std::string now;
};

/// Of the values at most so many are told.
inline constexpr std::size_t kMaxValueDifferences = 8;

/// Nothing: they are equal as far as the rules look.
[[nodiscard]] std::vector<ValueDifference> body_differences(const ShownEnvelope& recorded,
                                                            const ShownEnvelope& now,
                                                            const BodyRules& rules);

}  // namespace zpost::inspect
