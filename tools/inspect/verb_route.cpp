// zpost-inspect route: the dry run.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/json.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/refusal.h"
#include "tools/inspect/route_answer.h"
#include "tools/inspect/verbs.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;

constexpr const char* kRouteFooter = R"(
Examples:
  zpost-inspect route --from alice --to bob
  zpost-inspect route --from alice --to bob --request --size 64KiB
  zpost-inspect route --from alice --topic lab/oven/temperature
  zpost-inspect route --service translate --format json | jq .worker

Says where an envelope would go now, and what would hold or refuse it and why, without sending one.
Without --from: as if a peer that just came sent it.
Exit codes: 0 somebody would get it, or it would wait, 3 it would be refused or nobody subscribes, 4 no
broker, 5 refused, 6 no answer.)";

struct RouteOptions {
  cli::CommonOptions common;
  RouteWish wish;
  std::string peer;
  std::string topic;
  std::string service;
  bool request = false;
  std::uint64_t most = 1000;
};

std::string check_peer_name(const std::string& text) {
  return is_name(text) ? "" : fmt::format("\"{}\" is not a name", cli::visible_line(text));
}

std::string check_topic(const std::string& text) {
  return is_topic(text)
             ? ""
             : fmt::format("\"{}\" is not a topic such as lab/oven", cli::visible_line(text));
}

/// Without the @ that lines show before it.
std::string service_name(const std::string& text) {
  return text.substr(text.starts_with(kServiceMark) ? 1 : 0);
}

std::string check_service(const std::string& text) {
  return is_name(service_name(text)) ? "" : check_peer_name(text);
}

void settle_recipient(RouteOptions& options) {
  const int given = (options.peer.empty() ? 0 : 1) + (options.topic.empty() ? 0 : 1) +
                    (options.service.empty() ? 0 : 1);
  if (given != 1) throw CLI::ValidationError("say one of --to NAME, --topic TOPIC, --service NAME");
  RouteWish& wish = options.wish;
  if (options.request && options.peer.empty()) {
    throw CLI::ValidationError("--request goes with --to: what goes to a service is a call");
  }
  if (wish.retain && options.topic.empty())
    throw CLI::ValidationError("--retain goes with --topic");
  wish.to = options.peer + options.topic + service_name(options.service);
  if (options.request) wish.kind = Kind::kRequest;
  if (!options.topic.empty()) wish.kind = Kind::kPublish;
  if (!options.service.empty()) wish.kind = Kind::kCall;
}

/// All pages, or as many as `options` wants.
Result<RouteAnswer, ExitCode> ask(const RouteOptions& options, peer::Peer& peer) {
  constexpr cli::milliseconds kPatience{5000};
  RouteAnswer all;
  std::uint64_t start = 0;
  do {
    const auto page = peer.request("", encode(options.wish, start), kPatience).get();
    if (!page) {
      cli::complain("the broker does not tell the way: " + cli::visible_line(page.error().text));
      return exit_code_of(page.error());
    }
    if (const Result<void> read = all.add(page->body); !read) {
      cli::complain(read.error().text);
      return ExitCode::kRefused;
    }
    if (all.next() != 0 && all.next() <= start) break;
    start = all.next();
  } while (start != 0 && start < options.most);
  return all;
}

ExitCode run(const RouteOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.name = cli::fresh_name("inspect");
  Result<peer::Peer, ExitCode> peer = cli::connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  Result<RouteAnswer, ExitCode> answer = ask(options, *peer);
  part(*peer);
  if (!answer) return answer.error();
  cli::Output output;
  output.put(options.common.format == cli::Format::kJson
                 ? cli::to_line(answer->json())
                 : route_text(answer->json(), cli::Palette(cli::wants_colour(STDOUT_FILENO))));
  if (answer->next() != 0) {
    cli::note(
        fmt::format("more recipients are left out; --most N shows more than {}", options.most));
  }
  output.flush();
  if (output.failed()) return ExitCode::kFailed;
  return answer->is_refused() ? ExitCode::kNotDelivered : ExitCode::kAsWanted;
}

}  // namespace

void add_route_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("route", "Say where an envelope would go, without sending one");
  verb->footer(kRouteFooter);
  const auto options = std::make_shared<RouteOptions>();
  verb->add_option("--from", options->wish.from, "Who would send it")
      ->check(check_peer_name)
      ->option_text("NAME");
  verb->add_option("--to", options->peer, "The peer it would go to")
      ->check(check_peer_name)
      ->option_text("NAME");
  verb->add_option("--topic", options->topic, "The topic it would be published to")
      ->check(check_topic)
      ->option_text("TOPIC");
  verb->add_option("--service", options->service, "The service it would call, with or without @")
      ->check(check_service)
      ->option_text("NAME");
  verb->add_flag("--request", options->request, "With --to: a request");
  verb->add_flag("--retain", options->wish.retain, "With --topic: to be kept as its value");
  cli::add_size_option(*verb, "--size", options->wish.bytes,
                       "How large its body would be (default 0)");
  cli::add_count_option(*verb, "--most", options->most, "Show so many recipients (default 1000)");
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] {
    settle_recipient(*options);
    program.end = run(*options, program.software);
  });
}

}  // namespace zpost::inspect
