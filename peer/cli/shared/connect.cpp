#include "peer/cli/shared/connect.h"

#include <fmt/format.h>

#include <random>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

// So that a broker that is not there is known within two seconds.
constexpr milliseconds kPatience{1850};

std::string advice(const peer::Failure& failure) {
  switch (failure.fault) {
    case peer::Fault::kUnreachable:
      return "\nStart one with: zpost-broker\n"
             "Or name another: --endpoint ENDPOINT, or ZPOST_ENDPOINT";
    case peer::Fault::kRefused:
      return failure.outcome == Outcome::kNameHeld
                 ? "\nChoose another name with --as, or end the other program"
                 : "";
    default:
      return "";
  }
}

}  // namespace

Result<peer::Peer, ExitCode> connect(const CommonOptions& common, peer::Options options) {
  options.endpoint = common.endpoint;
  if (!common.name.empty()) options.name = common.name;
  if (!common.display.empty()) options.metadata["display"] = common.display;
  options.connect_timeout = kPatience;
  peer::Answer<peer::Peer> connected = peer::Peer::connect(std::move(options));
  if (connected) return std::move(*connected);
  const peer::Failure& failure = connected.error();
  complain(visible_line(failure.text) + advice(failure));
  return exit_code_of(failure);
}

std::string fresh_name(std::string_view prefix) {
  return fmt::format("{}-{:08x}", prefix, std::random_device()());
}

}  // namespace zpost::cli
