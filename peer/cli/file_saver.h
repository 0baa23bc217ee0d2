// Saves the files that are sent to a peer.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "peer/cli/files/incoming_files.h"
#include "peer/cli/files/rate_meter.h"
#include "peer/cli/files/save_folder.h"
#include "peer/cli/shared/options.h"
#include "peer/cli/shared/output.h"
#include "peer/cli/shared/palette.h"
#include "peer/cli/shared/refusals.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Thread: one.
class FileSaver {
 public:
  struct Parts {
    peer::Peer& peer;
    Output& output;
    Refusals& refusals;
    const Palette& palette;
  };

  /// All parts must outlive it. `path` is the folder's, for people.
  FileSaver(const Parts& parts, SaveFolder folder, std::string path, Format format)
      : parts_(parts),
        folder_(std::move(folder)),
        path_(std::move(path)),
        format_(format),
        files_(parts.peer.name(), folder_) {}

  /// False: the envelope has nothing to do with files.
  [[nodiscard]] bool handle(const EnvelopeView& view, std::string_view content_type);

  /// Call it at least after wait(), so that files are finished and progress is shown.
  void tick();

  /// How long nothing may be done.
  [[nodiscard]] std::chrono::milliseconds wait() const;

  /// How many files are there.
  [[nodiscard]] std::uint64_t saved() const { return saved_; }

  /// A file was not saved because of this machine.
  [[nodiscard]] bool failed() const { return failed_; }

  /// Tells the senders of files under way that nobody takes them any more.
  void leave();

 private:
  [[nodiscard]] static SteadyTime now() { return std::chrono::steady_clock::now(); }

  void handle_offer(const EnvelopeView& view);
  void handle_done(const EnvelopeView& view);
  void handle_chunk(const EnvelopeView& view);
  void send_replies();
  void reply(const FileReply& reply);
  void reject(std::string_view to, std::uint64_t request, const std::string& reason);
  void say_stop(const std::string& to, const FileStop& stop);
  void tell_news();
  void tell_saved(const FileNews& news);
  void tell_saved_json(const FileNews& news);
  void tell_not_saved(const FileNews& news);
  void show_progress();
  [[nodiscard]] std::string path_of(const FileNews& news) const;

  Parts parts_;
  SaveFolder folder_;
  std::string path_;
  Format format_;
  IncomingFiles files_;
  RateMeter meter_;
  SteadyTime shown_;
  std::uint64_t saved_ = 0;
  std::uint64_t bytes_saved_ = 0;
  bool failed_ = false;
};

/// What a peer that saves no files says to whoever offers one.
[[nodiscard]] std::string takes_no_files(std::string_view name);

}  // namespace zpost::cli
