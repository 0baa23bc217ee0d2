#include "peer/cli/shared/refusals.h"

#include <fmt/format.h>

#include "peer/cli/shared/units.h"

namespace zpost::cli {

bool Refusals::say_no(std::string_view to, std::uint64_t id, std::string_view reason) {
  peer::SendOptions at_once;
  at_once.timeout = milliseconds(0);
  if (peer_.reject(to, id, reason, at_once)) return true;
  ++dropped_;
  return false;
}

std::string Refusals::dropped_text() const {
  if (dropped_ == 0) return "";
  return fmt::format("{} got no answer: whoever asked takes none", counted(dropped_, "request"));
}

}  // namespace zpost::cli
