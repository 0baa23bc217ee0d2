// The broker's answer to `who`. SPEC.md, section 11.
#pragma once

#include <vector>

#include "zpost/peer/peer.h"

namespace zpost::peer {

/// The body of the request for the page that begins at `start`.
[[nodiscard]] ByteBuffer who_question(std::uint64_t start);

/// Appends a page to `peers`. Returns where the next one starts; 0: there is none.
/// Error: kFailed, when the bytes are no such answer.
[[nodiscard]] Answer<std::uint64_t> read_who(Bytes body, std::vector<Peer::PeerInfo>& peers);

}  // namespace zpost::peer
