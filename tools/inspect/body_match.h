// Whether two bodies say the same, and where they do not. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/inspect/redacted_fields.h"
#include "tools/inspect/shown_envelopes.h"

namespace zpost::inspect {

enum class BodyMatch : std::uint8_t {
  kSame,
  kDifferent,
  kRedacted,  // The same but for what was redacted in one of them.
  kCut,       // The same as far as both are there.
};

/// A body as a capture or the tap has it.
struct ComparedBody {
  const ShownEnvelope& envelope;
  bool redacted = false;  // Something of it may have been replaced by Redactor::kMarker.
};

/// How bodies are compared, and how much of it is told.
struct BodyRules {
  /// Not looked at: keys from the outside in, `*` any, arrays are passed through.
  std::vector<FieldPath> ignored = {};
  bool ignores_body = false;  // Not looked at, all of it.
  bool by_value = true;       // False: the same values encoded otherwise are a difference, too.
  std::size_t most_places = 1;
  std::size_t value_columns = 40;  // Of what stands in a place.

  /// Passes over `body.time`, `time`, or, with `body`, all of it: then only values count. False: it
  /// is no path.
  [[nodiscard]] bool ignore(std::string_view path);
};

/// A place in which two bodies differ.
struct BodyPlace {
  std::string where = {};  // `body.items[0].name`, `body`.
  std::string first = {};  // What stands there, short and safe for a terminal; empty: nothing.
  std::string second = {};
};

struct BodyDifference {
  BodyMatch match = BodyMatch::kSame;
  std::vector<BodyPlace> places = {};  // kDifferent only: the first of them, at least one.
};

/// Compares values where both are JSON or MessagePack, whichever of the two and in whatever order
/// their keys are; otherwise bytes. A difference beside what is redacted is one.
[[nodiscard]] BodyDifference compare_bodies(const ComparedBody& first, const ComparedBody& second,
                                            const BodyRules& rules);

/// Equal for bodies that compare_bodies() finds the same by value. Nothing: it is cut or redacted,
/// so that only compare_bodies() can tell.
[[nodiscard]] std::optional<std::uint64_t> body_fingerprint(const ComparedBody& body,
                                                            const BodyRules& rules);

}  // namespace zpost::inspect
