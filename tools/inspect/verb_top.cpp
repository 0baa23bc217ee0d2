// zpost-inspect top: peers, topics and services on a whole terminal.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <memory>

#include "peer/cli/shared/connect.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/stop_signals.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/timestamps.h"
#include "peer/cli/shared/units.h"
#include "tools/inspect/filter_option.h"
#include "tools/inspect/tail_filter.h"
#include "tools/inspect/tap_feed.h"
#include "tools/inspect/terminal_lines.h"
#include "tools/inspect/top_asker.h"
#include "tools/inspect/top_screen.h"
#include "tools/inspect/top_view.h"
#include "tools/inspect/verbs.h"

namespace zpost::inspect {
namespace {

using cli::ExitCode;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kLeastDelay{1000};  // Rates are of a second.

constexpr const char* kTopFooter = R"(
Examples:
  zpost-inspect top
  zpost-inspect top --filter 'from = "lab-*"'
  zpost-inspect top --once --delay 5s
  zpost-inspect top --format json | jq '.peers[] | select(.slow) | .name'

? on the screen tells the keys. It wants 80×24 and goes on over a restart of the broker.
Without a terminal --once, or --format json, prints one picture after --delay.
Exit codes: 0 as wanted, 2 no terminal, 4 no broker, 5 refused, 6 no answer.)";

struct TopOptions {
  cli::CommonOptions common;
  std::string filter;
  milliseconds delay{2000};
  bool once = false;
};

/// What both the screen and --once do: model and broker kept together.
class Top {
 public:
  Top(const TopOptions& options, peer::Peer& watcher, peer::Peer asker)
      : watcher_(watcher),
        stop_(watcher),
        feed_(watcher, wish_for(options.filter)),
        asker_(std::move(asker)) {
    state_.filter = options.filter;
    set_filter();
  }

  /// The whole terminal, until somebody has enough.
  [[nodiscard]] ExitCode run_screen() {
    if (const ExitCode code = feed_.open(); code != ExitCode::kAsWanted) return code;
    {
      CaughtMessages messages;  // Come out when the screen is gone.
      const std::unique_ptr<TopScreen> screen = TopScreen::open();
      if (screen == nullptr) {
        (void)feed_.close();
        return ExitCode::kUsage;
      }
      while (!quit_ && !is_done()) {
        take_keys(*screen);
        hear(messages);
        screen->show(draw(picture(screen->columns(), screen->lines())));
        await(kGlance, true);
      }
    }
    asker_.end();
    return feed_.close();
  }

  /// One picture, after a while.
  [[nodiscard]] ExitCode run_once(const TopOptions& options) {
    if (const ExitCode code = feed_.open(); code != ExitCode::kAsWanted) return code;
    const Clock::time_point end = Clock::now() + options.delay;
    const auto is_early = [this, end] {
      // However short the delay: without the broker's numbers there is nothing to show.
      const bool waits = model_.answered_ns() == 0 && Clock::now() < end + kPatience;
      return waits || Clock::now() < end;
    };
    while (!is_done() && is_early()) {
      const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
      await(std::clamp(left + milliseconds(1), milliseconds(1), kGlance), false);
    }
    cli::Output output;
    const TopPicture shown = picture(columns_of_output(), 0);
    output.put(options.common.format == cli::Format::kJson ? top_json(shown)
                                                           : plain_text(draw(shown)));
    const bool written = output.flush();
    asker_.end();
    const ExitCode code = feed_.close();
    return !written && output.failed() ? ExitCode::kFailed : code;
  }

 private:
  static constexpr milliseconds kGlance{100};
  static constexpr Clock::duration kPatience = std::chrono::seconds(5);
  static constexpr Clock::duration kMessageStays = std::chrono::seconds(10);

  [[nodiscard]] static TapWish wish_for(const std::string& filter) {
    return {.from = {}, .to = {}, .kinds = {}, .snap = 0, .filter = filter};
  }

  [[nodiscard]] static std::size_t columns_of_output() {
    constexpr std::size_t kUsual = 120;  // Of a file or pipe.
    return std::max(output_columns(kUsual), kLeastColumns);
  }

  [[nodiscard]] bool is_done() const { return stop_.asked() || feed_.is_over(); }

  void set_filter() {
    std::optional<filter::Filter> compiled;
    if (!state_.filter.empty()) {
      if (auto made = filter::Filter::compile(state_.filter)) compiled = *std::move(made);
    }
    chooser_ = std::make_unique<TailFilter>(std::set<TapEvent>{}, false, std::move(compiled));
    model_.restart(!state_.filter.empty());
  }

  /// Waits for the broker or, if `with_keys`, for keys, and takes what the broker says.
  void await(milliseconds patience, bool with_keys) {
    std::array<pollfd, 2> descriptors{pollfd{watcher_.descriptor(), POLLIN, 0},
                                      pollfd{STDIN_FILENO, POLLIN, 0}};
    (void)::poll(descriptors.data(), with_keys ? 2 : 1, static_cast<int>(patience.count()));
    // A terminal that is gone has no keys any more.
    if (with_keys && (descriptors[1].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) quit_ = true;
    const Clock::time_point end = Clock::now() + kGlance;
    while (feed_.receive(milliseconds(0))) {
      for (const TapEntry& entry : feed_.entries()) take(entry);
      feed_.take();
      if (Clock::now() > end) break;  // A busy broker has more without end.
    }
    take_news();
    model_.turn(cli::wall_clock_ns());
  }

  void take(const TapEntry& entry) {
    lines_.clear();
    append_lines(entry, lines_);
    for (TailLine& line : lines_) {
      if (is_own(line.from) || is_own(line.to)) continue;
      model_.learn(line);
      if (chooser_->wants(line)) model_.apply(line);
    }
  }

  [[nodiscard]] bool is_own(const std::string& name) const {
    return name == watcher_.name() || name == asker_.name();
  }

  void take_news() {
    TopNews news = asker_.take();
    const std::uint64_t now = cli::wall_clock_ns();
    if (news.peers) {
      std::erase_if(*news.peers, [this](const auto& each) { return is_own(each.name); });
      model_.apply(*news.peers, now);
    }
    if (news.numbers) model_.apply(*news.numbers, now);
    // Whoever chooses among envelopes wants them to stay where they are.
    const bool stand_still = state_.paused || state_.cursor > 0;
    if (news.envelopes && (!stand_still || shown_.envelopes.empty())) {
      shown_.envelopes = *std::move(news.envelopes);
    }
    if (news.story) story_ = *std::move(news.story);
  }

  [[nodiscard]] const TopModel& seen() const { return frozen_ ? *frozen_ : model_; }

  [[nodiscard]] TopPicture picture(std::size_t columns, std::size_t lines) {
    shown_.rows = ordered_rows(seen(), state_.tab, state_.order(), state_.filter.empty());
    shown_.story = wrapped(story_, columns);
    return {.model = seen(),
            .state = state_,
            .shown = shown_,
            .broker = watcher_.welcome().broker,
            .endpoint = watcher_.endpoint(),
            .taps = feed_.is_open(),
            .message = message_,
            .columns = columns,
            .lines = lines};
  }

  void take_keys(TopScreen& screen) {
    while (const std::optional<KeyPress> press = screen.key()) {
      shown_.rows = ordered_rows(seen(), state_.tab, state_.order(), state_.filter.empty());
      do_what(state_.press(*press, shown_, page_of(screen.lines())));
    }
  }

  void do_what(TopWish wish) {
    switch (wish) {
      case TopWish::kNothing:
        return;
      case TopWish::kQuit:
        quit_ = true;
        return;
      case TopWish::kFilter:
        set_filter();
        frozen_.reset();
        state_.paused = false;
        (void)feed_.open(wish_for(state_.filter));
        return;
      case TopWish::kPause:
        frozen_ = state_.paused ? std::make_unique<TopModel>(model_) : nullptr;
        return;
      case TopWish::kEnvelopes:
        asker_.want_envelopes(filter_for(state_.tab, state_.chosen),
                              state_.tab == TopTab::kServices ? state_.chosen : "");
        return;
      case TopWish::kStory:
        story_ = "…\n";
        asker_.want_story(state_.envelope.from, state_.envelope.first_id);
        return;
      case TopWish::kBack:
        asker_.want_envelopes("");
        shown_.envelopes.clear();
        return;
    }
  }

  /// What was said stays for a while.
  void hear(CaughtMessages& messages) {
    const Clock::time_point now = Clock::now();
    if (std::string text = messages.take(); !text.empty()) {
      message_ = std::move(text);
      said_ = now;
    } else if (now > said_ + kMessageStays) {
      message_.clear();
    }
  }

  peer::Peer& watcher_;
  cli::StopSignals stop_;
  TapFeed feed_;
  TopAsker asker_;
  std::unique_ptr<TailFilter> chooser_;
  TopModel model_;
  std::unique_ptr<TopModel> frozen_;  // What is seen while it stands still.
  TopState state_;
  TopShown shown_;
  std::string story_;
  std::string message_;
  Clock::time_point said_{};
  std::vector<TailLine> lines_;
  bool quit_ = false;
};

/// False: it is wrong, which was said.
bool check_filter(const std::string& text) {
  std::optional<filter::Filter> compiled;
  return compile_filter(text, compiled);
}

Result<peer::Peer, ExitCode> connect(const TopOptions& options, const std::string& software) {
  peer::Options wanted;
  wanted.software = software;
  wanted.outcomes = peer::OutcomeReports::kNone;
  wanted.take = peer::TakeMode::kExplicit;
  wanted.name = cli::fresh_name("inspect");
  return cli::connect(options.common, std::move(wanted));
}

/// What is wrong with how long to look; empty: nothing.
std::string wrong_delay(const TopOptions& options) {
  if (options.delay >= kLeastDelay) return "";
  return fmt::format("--delay {} is too short to count anything: it is at least {}",
                     cli::duration_text(options.delay), cli::duration_text(kLeastDelay));
}

ExitCode run(TopOptions& options, const std::string& software) {
  if (!check_filter(options.filter)) return ExitCode::kUsage;
  if (const std::string wrong = wrong_delay(options); !wrong.empty()) {
    cli::complain(wrong);
    return ExitCode::kUsage;
  }
  const bool whole_screen = !options.once && options.common.format != cli::Format::kJson;
  // Before the tap is open: somebody would have to take what it sends.
  if (whole_screen && !TopScreen::is_possible()) return ExitCode::kUsage;
  Result<peer::Peer, ExitCode> watcher = connect(options, software);
  if (!watcher) return watcher.error();
  TopOptions unnamed = options;
  unnamed.common.name.clear();  // The name is the watcher's.
  Result<peer::Peer, ExitCode> asker = connect(unnamed, software);
  if (!asker) return asker.error();
  Top top(options, *watcher, std::move(*asker));
  return whole_screen ? top.run_screen() : top.run_once(options);
}

}  // namespace

void add_top_verb(CLI::App& app, Program& program) {
  CLI::App* const verb =
      app.add_subcommand("top", "Peers, topics and services: rates, queues, latencies, live");
  verb->footer(kTopFooter);
  const auto options = std::make_shared<TopOptions>();
  verb->add_option(
          "--filter", options->filter,
          "Only such traffic counts, such as 'from = \"lab-*\"'; tail --help has the fields")
      ->option_text("FILTER");
  verb->add_flag("--once,--batch", options->once, "Print one picture, without a terminal");
  cli::add_duration_option(*verb, "--delay", options->delay,
                           "How long to look before that, at least 1s (default 2s)");
  cli::add_connection_options(*verb, options->common);
  cli::add_format_option(*verb, options->common);
  verb->callback([options, &program] { program.end = run(*options, program.software); });
}

}  // namespace zpost::inspect
