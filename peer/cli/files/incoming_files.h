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

/// The answer to a request: the bytes of a reply, or a no.
struct FileReply {
  bool rejected = false;
  std::string text;  // Why it is rejected.
  FileAnswer answer;
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

  [[nodiscard]] FileReply on_offer(std::string_view from, const FileOffer& offer, SteadyTime now);
  /// What is to be said to the sender, if anything.
  [[nodiscard]] std::optional<FileStop> on_chunk(std::string_view from, const FileChunk& chunk,
                                                 SteadyTime now);
  [[nodiscard]] FileReply on_done(std::string_view from, const FileDone& done, SteadyTime now);
  void on_stop(std::string_view from, const FileStop& stop, SteadyTime now);

  /// Finishes what goes on by itself, and gives up what nobody goes on with.
  void tick(SteadyTime now);

  [[nodiscard]] std::vector<FileNews> take_news() { return std::exchange(news_, {}); }

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

  [[nodiscard]] std::optional<std::string> open(std::string_view from, const FileOffer& offer,
                                                SteadyTime now);
  [[nodiscard]] bool make_room(SteadyTime now);
  [[nodiscard]] FileReply answer_offer(Entry entry, SteadyTime now);
  [[nodiscard]] FileReply finish(Entry entry, SteadyTime now);
  [[nodiscard]] FileReply saved(Entry entry, const std::string& name, SteadyTime now);
  [[nodiscard]] std::optional<FileStop> lost_track(std::string_view from, const FileChunk& chunk);
  [[nodiscard]] std::string file_of(const Incoming& incoming) const;
  void pause(Entry entry);
  /// Says why, and forgets it.
  std::string fail(Entry entry, std::string text, bool local_fault);
  [[nodiscard]] FileNews news_of(const Incoming& incoming, FileNews::Kind kind) const;

  std::string name_;
  FileStore& store_;
  std::map<std::string, Incoming, std::less<>> files_;  // By transfer.
  std::map<std::string, Saved, std::less<>> saved_;     // For a `done` that is said again.
  std::set<std::string, std::less<>> told_;             // `from transfer`, once each.
  std::vector<FileNews> news_;
};

}  // namespace zpost::cli
