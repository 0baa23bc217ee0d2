// A conversation as a sequence diagram of Mermaid. Pure. docs/capture.md, "Graphs".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/inspect/tail_line.h"
#include "tools/inspect/tap_reader.h"

namespace zpost::inspect {

/// Steps that are drawn; of more the diagram says how many it leaves out.
inline constexpr std::size_t kMostSteps = 200;

/// What happened between the two, in the order of the records. One may be a service with its @:
/// then what its workers did with the calls belongs to it, and their replies.
[[nodiscard]] std::vector<TailLine> steps_between(const std::vector<TapEntry>& records,
                                                  const std::string& a, const std::string& b);

/// What happened to each sender's envelope with this id and to its replies, in the order of time.
[[nodiscard]] std::vector<TailLine> steps_of_conversation(const std::vector<TapEntry>& records,
                                                          std::uint64_t id);

[[nodiscard]] std::string sequence_diagram(const std::vector<TailLine>& steps);

}  // namespace zpost::inspect
