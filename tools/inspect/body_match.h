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

struct BodyDifference {
  BodyMatch match = BodyMatch::kSame;
  // kDifferent only: the first place, `body.items[0].name`, and what stands there, short and safe
  // for a terminal; empty: nothing.
  std::string where = {};
  std::string first = {};
  std::string second = {};
};

/// `body.time` or `time`, as --ignore-field takes it. Nothing: it is no path.
[[nodiscard]] std::optional<FieldPath> parse_ignored_field(std::string_view text);

/// Compares values where both are JSON or MessagePack, whichever of the two and in whatever order
/// their keys are; otherwise bytes. `ignored` are passed over in values. A difference beside what
/// is redacted is one.
[[nodiscard]] BodyDifference compare_bodies(const ComparedBody& first, const ComparedBody& second,
                                            const std::vector<FieldPath>& ignored);

/// Equal for bodies that compare_bodies() finds the same. Nothing: it is cut or redacted, so that
/// only compare_bodies() can tell.
[[nodiscard]] std::optional<std::uint64_t> body_fingerprint(const ComparedBody& body,
                                                            const std::vector<FieldPath>& ignored);

}  // namespace zpost::inspect
