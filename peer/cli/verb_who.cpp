// zpost-peer who: lists the others.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"
#include "peer/cli/who_table.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kFooter = R"(
Examples:
  zpost-peer who
  zpost-peer who bob
  zpost-peer who 'sensor-*' --format json

The list leaves out the one who asks.
Exit codes: 0 somebody matches (without NAME: always), 3 nobody does, 4 no broker, 5 refused, 6 no answer.)";

struct WhoOptions {
  CommonOptions common;
  std::string pattern;
  milliseconds timeout{5000};
};

std::string check_pattern(const std::string& text) {
  if (is_name_pattern(text)) return "";
  return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", text);
}

/// False: standard output failed, which was said.
[[nodiscard]] bool print(const std::vector<PeerInfo>& peers, Format format) {
  Output output;
  if (format == Format::kText && !peers.empty()) {
    output.put(who_table(peers, Palette(wants_colour(STDOUT_FILENO)), wall_clock_ns()));
  } else if (format == Format::kJson) {
    for (const PeerInfo& peer : peers) output.put(who_json(peer));
  }
  output.flush();
  return !output.failed();
}

ExitCode run(const WhoOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  peer::Answer<std::vector<PeerInfo>> answer = peer->who(options.timeout);
  if (!answer) {
    complain(visible_line(answer.error().text));
    return exit_code_of(answer.error());
  }
  std::vector<PeerInfo>& peers = *answer;
  std::erase_if(peers, [&](const PeerInfo& each) {
    return each.name == peer->name() ||
           (!options.pattern.empty() && !matches_name_pattern(options.pattern, each.name));
  });
  std::ranges::sort(peers, {}, &PeerInfo::name);
  const bool printed = print(peers, options.common.format);
  peer->close(milliseconds(0));
  if (!printed) return ExitCode::kFailed;
  if (!peers.empty()) return ExitCode::kAsWanted;
  if (options.pattern.empty()) {
    if (options.common.format == Format::kText) note("nobody else is here");
    return ExitCode::kAsWanted;
  }
  complain(fmt::format("nobody named {} is here", options.pattern));
  return ExitCode::kNotDelivered;
}

}  // namespace

void add_who_verb(CLI::App& app, Program& program) {
  CLI::App* const verb = app.add_subcommand("who", "List who is connected");
  verb->footer(kFooter);
  const auto options = std::make_shared<WhoOptions>();
  verb->add_option("NAME", options->pattern, "Only this one; * at its end stands for anything")
      ->check(check_pattern)
      ->option_text(" ");
  add_duration_option(*verb, "--timeout", options->timeout, "How long to wait (default 5s)");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::cli
