// Decides what the recipient of files answers. docs/files.md is the agreement.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "peer/cli/files/file_messages.h"
#include "peer/cli/files/file_store.h"

namespace zpost::cli {

using SteadyTime = std::chrono::steady_clock::time_point;

/// The answer to a request: a reply, or a no.
struct FileReply {
  std::string to;
  std::uint64_t request = 0;  // Its id.
  bool rejected = false;
  std::string text = {};     // Why it is rejected …
  bool local_fault = false;  // … because of this machine …
  bool is_news = false;      // … and that is among the news.
  FileAnswer answer = {};
};

/// What people should know.
struct FileNews {
  enum class Kind {
    kContinued,     // It goes on from `resumed_from`.
    kSaved,         // All is there.
    kSavedAlready,  // All was there before.
    kFailed,        // `text` says why.
    kPaused,        // Its sender said or did nothing more; what is there is kept.
  };
  Kind kind = Kind::kSaved;
  std::string from;
  std::string name;      // As offered.
  std::string saved_as;  // The name in the folder.
  std::uint64_t size = 0;
  std::uint64_t resumed_from = 0;
  std::uint64_t position = 0;
  Digest sha256{};
  std::chrono::milliseconds took{0};
  std::string text;
  bool local_fault = false;  // Of kFailed: this machine's, a full disk say.
};

/// All files on their way to one recipient, from any number of senders. No sockets, no clock; the
/// files are the store's. Time must not decrease between calls. Thread: one.
class IncomingFiles {
 public:
  static constexpr std::size_t kAtOnce = 16;
  static constexpr std::chrono::minutes kIdle{10};
  /// After so long a silence another file may have the place.
  static constexpr std::chrono::seconds kGivesWay{30};

  /// `name` is the recipient's. `store` must outlive this.
  IncomingFiles(std::string name, FileStore& store) : name_(std::move(name)), store_(store) {}

  // Requests; the answer comes now or later: see take_replies().
  void on_offer(std::string_view from, std::uint64_t request, const FileOffer& offer,
                SteadyTime now);
  void on_done(std::string_view from, std::uint64_t request, const FileDone& done, SteadyTime now);

  /// What is to be said to the sender, if anything.
  [[nodiscard]] std::optional<FileStop> on_chunk(std::string_view from, const FileChunk& chunk,
                                                 SteadyTime now);
  void on_stop(std::string_view from, const FileStop& stop, SteadyTime now);

  /// Finishes what goes on by itself, and gives up what nobody goes on with.
  void tick(SteadyTime now);

  [[nodiscard]] std::vector<FileReply> take_replies() { return std::exchange(replies_, {}); }

  [[nodiscard]] std::vector<FileNews> take_news() { return std::exchange(news_, {}); }

  /// Somebody waits for an answer: call tick() soon.
  [[nodiscard]] bool owes_answers() const;

  struct Progress {
    std::string from;
    std::string name;
    std::uint64_t position = 0;
    std::uint64_t size = 0;
  };

  /// Of every file under way.
  [[nodiscard]] std::vector<Progress> progress() const;

  /// What to tell each sender when the recipient leaves. What is there is kept. Waits for files
  /// that are being saved.
  [[nodiscard]] std::vector<std::pair<std::string, FileStop>> leave(const std::string& text,
                                                                    SteadyTime now);

 private:
  struct Incoming {
    std::string from;
    FileOffer offer;
    std::unique_ptr<StoredFile> file;
    bool checking = true;
    bool saving = false;
    std::optional<std::uint64_t> asked;  // The request that waits for an answer …
    SteadyTime asked_at;                 // … since then.
    std::uint64_t position = 0;
    std::uint64_t resumed_from = 0;
    Checksum sum;
    SteadyTime began;
    SteadyTime active;
  };

  struct Saved {
    std::string from;
    Digest sha256{};
    std::string name;
  };

  using Entry = std::map<std::string, Incoming, std::less<>>::iterator;

  struct Refusal {
    std::string text;
    bool local_fault = false;
  };

  /// Why it is not taken, or nothing.
  [[nodiscard]] std::optional<Refusal> take(std::string_view from, const FileOffer& offer,
                                            SteadyTime now);
  [[nodiscard]] std::optional<Refusal> open(std::string_view from, const FileOffer& offer,
                                            SteadyTime now);
  [[nodiscard]] bool make_room(SteadyTime now);
  void answer_unknown(std::string_view from, std::uint64_t request, const FileDone& done);
  void ask(Entry entry, std::uint64_t request, SteadyTime now);
  void advance(Entry entry, SteadyTime now);
  [[nodiscard]] bool finish_check(Entry entry, SteadyTime now);
  void finish_saving(Entry entry, SteadyTime now);
  void saved(Entry entry, const std::string& name, SteadyTime now);
  void answer_position(Entry entry);
  void answer(Incoming& incoming, FileAnswer answer);
  void reject(std::string_view from, std::uint64_t request, std::string text);
  [[nodiscard]] std::optional<FileStop> lost_track(std::string_view from, const FileChunk& chunk);
  void pause(Entry entry);
  /// Forgets it and rejects what waits for an answer. Returns why, for the sender.
  std::string fail(Entry entry, std::string text, bool local_fault);
  [[nodiscard]] static bool is_there_already(const Incoming& incoming);
  [[nodiscard]] static FileNews news_of(const Incoming& incoming, FileNews::Kind kind);

  std::string name_;
  FileStore& store_;
  std::map<std::string, Incoming, std::less<>> files_;  // By transfer.
  std::map<std::string, Saved, std::less<>> saved_;     // For a `done` that is said again.
  std::set<std::string, std::less<>> told_;             // `from transfer`, once each.
  std::vector<FileReply> replies_;
  std::vector<FileNews> news_;
};

}  // namespace zpost::cli
