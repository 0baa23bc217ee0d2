// How inspectors leave a broker.
#pragma once

#include <chrono>

#include "zpost/peer/peer.h"

namespace zpost::inspect {

/// Ends tap and recall, takes what is still under way, and says goodbye: what an inspector leaves
/// behind would count as lost, and be told as a failure to other inspectors. Waits for that at most
/// `patience`, half a second for the goodbye beside. Nobody else may receive meanwhile.
void part(peer::Peer& peer, std::chrono::milliseconds patience = std::chrono::milliseconds(1000));

}  // namespace zpost::inspect
