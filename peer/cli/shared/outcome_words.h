// Outcomes and changes of state in words.
#pragma once

#include <string>
#include <string_view>

#include "zpost/peer/message.h"

namespace zpost::cli {

/// Why an envelope to `to` failed, for people: `nobody named bob is here`. `text` is the broker's
/// or the recipient's word on it, possibly empty; made visible here.
[[nodiscard]] std::string reason_text(Outcome outcome, std::string_view to,
                                      std::string_view text = {});

/// `no-peer: nobody named bob is here`.
[[nodiscard]] std::string outcome_text(Outcome outcome, std::string_view to,
                                       std::string_view text = {});

/// Behind the words on a program that waits for `to` in vain: `: alice is this program's own name,
/// and it only sends`, if `to` is `me`. `does`: what it does instead of taking. Otherwise empty.
[[nodiscard]] std::string own_name_text(std::string_view to, std::string_view me,
                                        std::string_view does);

/// What happened to the session; empty for what nobody needs to read.
[[nodiscard]] std::string state_text(const peer::StateChange& change);

}  // namespace zpost::cli
