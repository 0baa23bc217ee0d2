// Getting a session, or saying why there is none.
#pragma once

#include "peer/cli/shared/exit_code.h"
#include "peer/cli/shared/options.h"
#include "zpost/peer/peer.h"
#include "zpost/protocol/result.h"

namespace zpost::cli {

/// Connects as `common` says, everything else as `options`. Takes less than two seconds. On failure
/// the reason, the endpoint and what to try were said on standard error.
[[nodiscard]] Result<peer::Peer, ExitCode> connect(const CommonOptions& common,
                                                   peer::Options options);

/// `prefix-1a2b3c4d`, different every time.
[[nodiscard]] std::string fresh_name(std::string_view prefix);

}  // namespace zpost::cli
