#include "peer/cli/shared/connect.h"

#include <fmt/format.h>

#include <random>

#include "peer/cli/shared/output.h"
#include "peer/cli/shared/probe.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

// So that a broker that is not there is known within two seconds.
constexpr milliseconds kPatience{1850};
// How long it may take to find out what is there instead: no more if it says nothing.
constexpr milliseconds kProbe{500};

std::string advice(const peer::Failure& failure) {
  switch (failure.fault) {
    case peer::Fault::kRefused:
      return failure.outcome == Outcome::kNameHeld
                 ? "\nChoose another name with --as, or end the other program"
                 : "";
    default:
      return "";
  }
}

/// What is at the endpoint instead, and what to do. `otherwise`: what the library says.
std::string unreachable_text(const std::string& endpoint, const std::string& otherwise) {
  const Diagnosis diagnosis = probe(endpoint, kProbe);
  if (diagnosis.finding == Finding::kUnknown) return visible_line(otherwise);
  return fmt::format("no broker at {}: {}\n{}", visible_line(endpoint), diagnosis.text,
                     diagnosis.advice);
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
  complain(failure.fault == peer::Fault::kUnreachable
               ? unreachable_text(common.endpoint, failure.text)
               : visible_line(failure.text) + advice(failure));
  return exit_code_of(failure);
}

std::string fresh_name(std::string_view prefix) {
  return fmt::format("{}-{:08x}", prefix, std::random_device()());
}

}  // namespace zpost::cli
