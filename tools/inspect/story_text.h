// A story as people read it, as programs do, and as spans of a trace. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "peer/cli/shared/palette.h"
#include "tools/inspect/story.h"

namespace zpost::inspect {

/// The timeline with the time between its steps, its replies indented, and the verdict.
[[nodiscard]] std::string story_text(const Story& story, const Verdict& verdict,
                                     const cli::Palette& palette);

/// One object with a line feed.
[[nodiscard]] std::string story_json(const Story& story, const Verdict& verdict);

/// The same as OpenTelemetry spans, in the JSON form of OTLP, one line: the envelope, its waits at
/// the broker, its stays with those who took it, and its replies. The ids of trace and spans follow
/// from sender and id, so that whoever knows those finds them.
[[nodiscard]] std::string story_spans(const Story& story, const Verdict& verdict);

}  // namespace zpost::inspect
