// zpost-inspect graph: who talks to whom, as a picture.
#include <fmt/format.h>
#include <sys/wait.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/capture_merge.h"
#include "tools/inspect/look_back.h"
#include "tools/inspect/parting.h"
#include "tools/inspect/recorder_words.h"
#include "tools/inspect/refusal.h"
#include "tools/inspect/route_answer.h"
#include "tools/inspect/sequence_diagram.h"
#include "tools/inspect/span_option.h"
#include "tools/inspect/traffic_graph.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;

constexpr const char* kGraphFooter = R"(
Examples:
  zpost-inspect graph --last 5m | dot -Tpng > traffic.png
  zpost-inspect graph trace.pcapng --format svg > traffic.svg
  zpost-inspect graph --format mermaid
  zpost-inspect graph --between alice bob --last 1m          a sequence diagram for Mermaid
  zpost-inspect graph --between alice @translate             a caller and a service
  zpost-inspect graph trace.pcapng --conversation 1767225600000000000

Without FILE it asks the broker's recorder. Boxes are peers, ellipses topics, components services; red
arrows have failures. Dashed arrows lead from a topic to who subscribes to it now, which the broker says:
files do not have it. --between alice @translate shows alice's calls with the replies of the workers.
--format svg needs dot of Graphviz.
Exit codes: 0 drawn, 1 there is nothing to draw, a file is damaged, or dot failed, 2 usage,
4 no broker, 5 refused, 6 no answer.)";

enum class Picture : std::uint8_t { kDot, kMermaid, kSvg };

struct GraphOptions {
  cli::CommonOptions common;
  std::vector<std::string> files;
  std::optional<Picture> picture;
  milliseconds last{0};  // 0: all.
  std::vector<std::string> between;
  std::uint64_t conversation = 0;  // 0: none.

  [[nodiscard]] bool is_sequence() const { return !between.empty() || conversation != 0; }
};

/// Draws what it is given. A picture of traffic holds no records; a sequence holds those that may
/// belong to it.
class Drawing {
 public:
  explicit Drawing(const GraphOptions& options) : options_(options) {}

  void add(const TapEntry& entry) {
    if (!options_.is_sequence()) return graph_.add(entry);
    if (records_.size() >= kMostRecalled) {
      cut_ = true;
      return;
    }
    if (entry.record.event == TapEvent::kSession || entry.record.event == TapEvent::kMissed) return;
    records_.push_back(entry);
    records_.back().shown = {};  // Borrowed.
  }

  /// Topics of a picture of traffic.
  [[nodiscard]] std::vector<std::string> topics() const {
    return options_.is_sequence() ? std::vector<std::string>() : graph_.topics();
  }

  void add_subscriber(const std::string& topic, const std::string& peer) {
    graph_.add_subscriber(topic, peer);
  }

  [[nodiscard]] ExitCode finish() {
    if (cut_) {
      cli::complain(fmt::format("only the first {} were looked at: narrow it with --last",
                                cli::counted(kMostRecalled, "record")));
    }
    if (graph_.left_out() > 0) {
      cli::complain(fmt::format("{} of more than {} pairs have no arrow",
                                cli::counted(graph_.left_out(), "envelope"),
                                cli::count_text(TrafficGraph::kMostArrows)));
    }
    return options_.is_sequence() ? draw_sequence() : draw_graph();
  }

 private:
  [[nodiscard]] ExitCode draw_sequence() {
    const std::vector<TailLine> steps =
        options_.conversation != 0
            ? steps_of_conversation(records_, options_.conversation)
            : steps_between(records_, options_.between.front(), options_.between.back());
    return steps.empty() ? nothing() : print(sequence_diagram(steps));
  }

  [[nodiscard]] ExitCode draw_graph() {
    if (graph_.empty()) return nothing();
    switch (options_.picture.value_or(Picture::kDot)) {
      case Picture::kMermaid:
        return print(graph_.mermaid());
      case Picture::kSvg:
        return draw_svg(graph_.dot());
      case Picture::kDot:
        break;
    }
    return print(graph_.dot());
  }

  [[nodiscard]] static ExitCode nothing() {
    cli::complain("there is nothing to draw: no such envelopes");
    return ExitCode::kFailed;
  }

  [[nodiscard]] static ExitCode print(const std::string& text) {
    cli::Output output;
    output.put(text);
    (void)output.flush();
    return output.failed() ? ExitCode::kFailed : ExitCode::kAsWanted;
  }

  /// Graphviz writes to our standard output.
  [[nodiscard]] static ExitCode draw_svg(const std::string& dot) {
    constexpr int kNotThere = 127;  // As shells say it.
    std::FILE* const pipe = ::popen("command -v dot >/dev/null || exit 127; exec dot -Tsvg", "w");
    if (pipe == nullptr) {
      cli::complain("cannot start dot of Graphviz: the system has no more processes");
      return ExitCode::kFailed;
    }
    const bool written = std::fwrite(dot.data(), 1, dot.size(), pipe) == dot.size();
    const int status = ::pclose(pipe);
    const bool is_missing = WIFEXITED(status) && WEXITSTATUS(status) == kNotThere;
    if (status == 0 && written) return ExitCode::kAsWanted;
    cli::complain(is_missing ? "there is no dot on the PATH: install graphviz, or take --format dot"
                             : "dot of Graphviz failed");
    return ExitCode::kFailed;
  }

  const GraphOptions& options_;
  TrafficGraph graph_;
  std::vector<TapEntry> records_;
  bool cut_ = false;
};

ExitCode draw_files(const GraphOptions& options) {
  Drawing drawing(options);
  CaptureMerge files(CaptureMerge::OnDamage::kStop,
                     [](const std::string& what) { cli::complain(what); });
  if (const auto opened = files.open(options.files); !opened) {
    cli::complain(opened.error().text);
    return ExitCode::kFailed;
  }
  while (const CaptureReader* const file = files.next()) drawing.add(file->entry());
  const ExitCode end = drawing.finish();
  return files.damages() > 0 ? ExitCode::kFailed : end;
}

/// No record says who got a publish: who subscribes now, the broker knows.
peer::Answer<void> add_subscribers(peer::Peer& peer, milliseconds patience, Drawing& drawing) {
  constexpr std::size_t kMostTopics = 200;
  const std::vector<std::string> topics = drawing.topics();
  for (const std::string& topic : std::span(topics).first(std::min(topics.size(), kMostTopics))) {
    const RouteWish wish{.kind = Kind::kPublish, .from = {}, .to = topic};
    const auto page = peer.request("", encode(wish, 0), patience).get();
    if (!page) return page.error();
    RouteAnswer answer;
    if (!answer.add(page->body)) continue;
    for (const std::string& name : answer.recipients()) drawing.add_subscriber(topic, name);
    if (answer.next() != 0) {
      cli::complain(fmt::format("of the subscribers to {} only the first {} are drawn",
                                cli::visible_line(topic),
                                cli::count_text(answer.recipients().size())));
    }
  }
  if (topics.size() > kMostTopics) {
    cli::complain(fmt::format("only the subscribers to the first {} of {} are drawn", kMostTopics,
                              cli::counted(topics.size(), "topic")));
  }
  return {};
}

ExitCode draw_recorded(const GraphOptions& options, const std::string& software) {
  constexpr milliseconds kPatience{5000};
  constexpr std::uint64_t kNsPerMs = 1'000'000;
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  Result<peer::Peer, ExitCode> peer = cli::connect(options.common, std::move(wanted));
  if (!peer) return peer.error();
  Drawing drawing(options);
  RecallWish wish;
  const std::uint64_t now_ns = cli::wall_clock_ns();
  if (options.last.count() > 0) {
    wish.since_ns = now_ns - static_cast<std::uint64_t>(options.last.count()) * kNsPerMs;
  }
  const auto end = stream_back(*peer, wish, kPatience,
                               [&drawing](const TapEntry& entry) { drawing.add(entry); });
  if (!end) {
    cli::complain("the broker does not look back: " + cli::visible_line(end.error().text));
    return exit_code_of(end.error());
  }
  const bool falls_short = wish.since_ns > 0 && end->oldest_ns > wish.since_ns;
  const bool lacks = end->oldest_ns == 0 || end->missed > 0 || falls_short;
  if (lacks) cli::note("the recorder: " + recorder_reach(*end, now_ns));
  const auto added = add_subscribers(*peer, kPatience, drawing);
  part(*peer);
  if (!added) {
    cli::complain("the broker does not tell who subscribes: " +
                  cli::visible_line(added.error().text));
    return exit_code_of(added.error());
  }
  return drawing.finish();
}

ExitCode run(const GraphOptions& options, const std::string& software) {
  std::string wrong;
  if (!options.between.empty() && options.conversation != 0) {
    wrong = "--between or --conversation, not both";
  } else if (options.is_sequence() &&
             options.picture.value_or(Picture::kMermaid) != Picture::kMermaid) {
    wrong = "a sequence diagram is there for Mermaid only: --format mermaid";
  } else if (!options.files.empty() && options.last.count() > 0) {
    wrong = "--last is for the recorder, not for files";
  }
  if (!wrong.empty()) {
    cli::complain(wrong);
    return ExitCode::kUsage;
  }
  return options.files.empty() ? draw_recorded(options, software) : draw_files(options);
}

}  // namespace

void add_graph_verb(CLI::App& app, Program& program) {
  constexpr int kBoth = 2;
  CLI::App* const verb =
      app.add_subcommand("graph", "Draw who talks to whom, or how a conversation went");
  verb->footer(kGraphFooter);
  const auto options = std::make_shared<GraphOptions>();
  verb->add_option("FILE", options->files, "Captures; none: what the recorder holds")
      ->option_text(" ");
  cli::add_choice_option(
      *verb, "--format", {"dot", "mermaid", "svg"},
      [options](std::size_t place) { options->picture = static_cast<Picture>(place); },
      "What to draw for (default dot; sequence diagrams: mermaid)");
  add_span_option(*verb, "--last", options->last, "Only what came so long before now");
  verb->add_option("--between", options->between,
                   "What went on between these two peers, or a peer and a @service")
      ->expected(kBoth)
      ->option_text("A B");
  cli::add_count_option(*verb, "--conversation", options->conversation,
                        "What became of the envelope with this id, and of its replies");
  cli::add_connection_options(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
