// What happens in a chat and which lines that makes. Pure: no I/O, time is a parameter.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "peer/cli/chat_line.h"
#include "zpost/peer/message.h"

namespace zpost::cli {

/// A line goes on the screen when its outcome is known, or after a short while as being on its way;
/// then its outcome makes a line of its own. Times are ns since 1970.
class ChatModel {
 public:
  static constexpr std::uint64_t kPatience = 300'000'000;  // ns until a line is shown without mark.
  static constexpr std::size_t kMaxUndelivered = 1000;     // Beyond it the oldest is forgotten.

  static constexpr std::size_t kMaxEarlier = 100;  // Likewise.

  struct Undelivered {
    std::string to;  // `bob` or `#dev`.
    std::string text;
  };

  ChatModel(std::string me, std::string partner);

  [[nodiscard]] const std::string& me() const { return me_; }

  /// Who gets what is said: `bob`, `#dev`; empty: nobody yet.
  [[nodiscard]] const std::string& partner() const { return partner_; }

  void set_partner(std::string partner);

  /// Talks no more with `partner`, but with whom one talked before, if it was the partner.
  void leave(const std::string& partner);

  /// From now on it is told when `name` comes or goes. So it is of every partner, and of whoever
  /// writes.
  void watch(const std::string& name) { watched_.insert(name); }

  [[nodiscard]] ChatLines received(const peer::Message& message, std::uint64_t now);

  /// A line was handed to the library as envelope `id`.
  [[nodiscard]] ChatLines sent(std::uint64_t id, Undelivered line, std::uint64_t now);
  /// A line could not even be handed over. It may be retried.
  [[nodiscard]] ChatLines not_sent(Undelivered line, std::string reason, std::uint64_t now);
  [[nodiscard]] ChatLines settled(const peer::OutcomeReport& report, std::uint64_t now);

  /// Whether settled() has something to say on this envelope.
  [[nodiscard]] bool is_under_way(std::uint64_t id) const { return under_way_.contains(id); }

  /// Lines that waited for their outcome long enough.
  [[nodiscard]] ChatLines waited(std::uint64_t now);
  /// When waited() will have something to show.
  [[nodiscard]] std::optional<std::uint64_t> next_wait() const;

  [[nodiscard]] ChatLines presence(const peer::PresenceChange& change, std::uint64_t now);

  /// Who is known to be here from the beginning.
  void set_here(std::set<std::string> names) { here_ = std::move(names); }

  [[nodiscard]] const std::set<std::string>& here() const { return here_; }

  /// A word on what to do about lines that `to` did not get, to be put behind others; or nothing.
  [[nodiscard]] std::string undelivered_text(std::string_view to) const;

  /// What was not delivered, oldest first; forgotten here.
  [[nodiscard]] std::vector<Undelivered> take_undelivered();

  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }

  [[nodiscard]] std::size_t undelivered() const { return undelivered_.size(); }

 private:
  struct UnderWay {
    Undelivered line;
    std::uint64_t since = 0;
    bool shown = false;
  };

  [[nodiscard]] ChatLine sent_line(std::uint64_t id, const UnderWay& sent) const;
  [[nodiscard]] ChatLines introduction(const std::string& from, std::uint64_t now);
  void show_under_way(ChatLines& lines, std::string_view to);
  void keep(Undelivered line);
  [[nodiscard]] std::size_t undelivered_to(std::string_view to) const;

  std::string me_;
  std::string partner_;
  std::vector<std::string> earlier_;             // With whom one talked before, the latest last.
  std::map<std::uint64_t, UnderWay> under_way_;  // By id: in the order they were said.
  std::deque<Undelivered> undelivered_;
  std::set<std::string> here_;
  std::set<std::string> watched_;
  std::set<std::string> strangers_;  // Of whom it was said how to answer them.
};

}  // namespace zpost::cli
