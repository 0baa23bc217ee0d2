// Who is connected, as a table. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "peer/cli/shared/palette.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

using PeerInfo = peer::Peer::PeerInfo;

/// A heading and a row for each, in columns.
[[nodiscard]] std::string who_table(const std::vector<PeerInfo>& peers, const Palette& palette,
                                    std::uint64_t now_ns);

/// All that the broker says of one: its name, then a line for each fact, indented.
[[nodiscard]] std::string who_details(const PeerInfo& peer, const Palette& palette,
                                      std::uint64_t now_ns);

/// One object with a line feed.
[[nodiscard]] std::string who_json(const PeerInfo& peer);

}  // namespace zpost::cli
