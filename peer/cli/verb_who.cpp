// zpost-peer who: lists the others, or tells of their coming and going.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "peer/cli/presence_text.h"
#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/session_watch.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "peer/cli/verbs.h"
#include "peer/cli/who_table.h"
#include "zpost/protocol/names.h"

namespace zpost::cli {
namespace {

constexpr const char* kWhoFooter = R"(
Examples:
  zpost-peer who
  zpost-peer who --long bob
  zpost-peer who 'sensor-*' --format json
  zpost-peer who --watch
  zpost-peer who --watch 'sensor-*'

--watch tells who is here, then who joined, left (and why) or changed what it says of itself, until a
signal. Who loses the connection is away and stays in the list for a while (STATE); --watch tells
that it left when the broker gives it up. The list leaves out the one who asks.
Exit codes: 0 somebody matches (without NAME: always), 3 nobody does, 4 no broker, 5 refused, 6 no answer.)";

struct WhoOptions {
  CommonOptions common;
  std::string pattern;
  milliseconds timeout{5000};
  bool watch = false;
  bool details = false;
};

std::string check_pattern(const std::string& text) {
  if (is_name_pattern(text)) return "";
  return fmt::format("\"{}\" is neither a name nor the beginning of one followed by *", text);
}

void check_watch(const CLI::App& verb) {
  if (verb.get_option("--long")->count() > 0) {
    throw CLI::ValidationError(
        "--long is for the list: who comes and goes is told with no more than its metadata; ask "
        "with who --long NAME");
  }
  if (verb.get_option("--timeout")->count() > 0) {
    throw CLI::ValidationError("--timeout is for the list: --watch goes on until a signal");
  }
}

/// False: standard output failed, which was said.
[[nodiscard]] bool print(const std::vector<PeerInfo>& peers, const WhoOptions& options) {
  Output output;
  const Palette palette(wants_colour(STDOUT_FILENO));
  const std::uint64_t now = wall_clock_ns();
  if (options.common.format == Format::kJson) {
    for (const PeerInfo& peer : peers) output.put(who_json(peer));
  } else if (options.details) {
    for (const PeerInfo& peer : peers) output.put(who_details(peer, palette, now));
  } else if (!peers.empty()) {
    output.put(who_table(peers, palette, now));
  }
  output.flush();
  return !output.failed();
}

ExitCode watch(const WhoOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  Result<peer::Peer, ExitCode> peer = connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  const StopSignals stop(*peer);
  const SessionWatch session(*peer);
  const Palette palette(wants_colour(STDOUT_FILENO));
  if (const auto watching = peer->watch(options.pattern.empty() ? "*" : options.pattern);
      !watching) {
    complain(visible_line(watching.error().text));
    return exit_code_of(watching.error());
  }
  Output output;
  while (!stop.asked() && !session.is_over()) {
    const auto change = peer->next_presence(peer::kForever);
    if (!change) continue;
    const std::uint64_t now = wall_clock_ns();
    output.put(options.common.format == Format::kJson ? presence_json(*change, now)
                                                      : presence_text(*change, palette, now));
    if (!output.flush()) break;
  }
  peer->close(milliseconds(0));
  if (output.failed()) return ExitCode::kFailed;
  return session.is_over() ? ExitCode::kRefused : ExitCode::kAsWanted;
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
  const bool is_own = options.pattern == peer->name();
  const bool printed = print(peers, options);
  peer->close(milliseconds(0));
  if (!printed) return ExitCode::kFailed;
  if (!peers.empty()) return ExitCode::kAsWanted;
  if (options.pattern.empty()) {
    if (options.common.format == Format::kText) note("nobody else is here");
    return ExitCode::kAsWanted;
  }
  complain(fmt::format("nobody {}named {} is here", is_own ? "else " : "", options.pattern));
  return ExitCode::kNotDelivered;
}

}  // namespace

void add_who_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("who", "List who is connected, or watch them come and go");
  verb->footer(kWhoFooter);
  const auto options = std::make_shared<WhoOptions>();
  verb->add_option("NAME", options->pattern, "Only this one; * at its end stands for anything")
      ->check(check_pattern)
      ->option_text(" ");
  verb->add_flag("--long", options->details, "All that the broker knows of each");
  verb->add_flag("--watch", options->watch, "Tell of their coming and going, until a signal");
  add_duration_option(*verb, "--timeout", options->timeout, "How long to wait (default 5s)");
  add_connection_options(*verb, options->common);
  add_format_option(*verb, options->common);
  verb->callback([options, verb, &program] {
    if (options->watch) check_watch(*verb);
    program.end =
        options->watch ? watch(*options, program.software) : run(*options, program.software);
  });
}

}  // namespace zpost::cli
