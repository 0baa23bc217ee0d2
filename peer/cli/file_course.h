// One file's way to its recipient: does what OutgoingFile decides.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "peer/cli/files/outgoing_file.h"
#include "peer/cli/files/source_file.h"
#include "zpost/peer/peer.h"

namespace zpost::cli {

/// Reading what the recipient has, again.
struct PrefixCheck {
  Checksum sum;
  std::uint64_t summed = 0;
};

/// Thread: one.
class FileCourse {
 public:
  /// `peer` and `file` must outlive it.
  FileCourse(peer::Peer& peer, std::string to, const SourceFile& file,
             std::chrono::milliseconds patience);

  /// Does one step, which takes a fraction of a second. False: it ended.
  [[nodiscard]] bool advance();

  void on_stop(const FileStop& stop) { machine_.stopped(stop, now()); }

  void on_outcome(const peer::OutcomeReport& report);

  [[nodiscard]] const OutgoingFile& machine() const { return machine_; }

  /// How far it is with sending or, while `is_checking`, with reading what the recipient has.
  [[nodiscard]] std::uint64_t position() const;

  [[nodiscard]] bool is_checking() const { return check_.has_value(); }

  /// Where it began, after what the recipient had from an earlier run.
  [[nodiscard]] std::uint64_t began_at() const { return began_at_; }

  [[nodiscard]] std::string sha256() const { return hexadecimal(sum_.digest()); }

  /// It ended because of this machine: the file changed, say.
  [[nodiscard]] bool failed_here() const { return failed_here_; }

  /// Tells the recipient that nothing more comes, if it can be told at once.
  void tell_stop(const std::string& text, bool discard);

 private:
  using Reply = peer::Answer<peer::Message>;

  [[nodiscard]] static SteadyTime now() { return std::chrono::steady_clock::now(); }

  void ask(Bytes body, std::string_view content_type);
  void await_reply();
  void check();
  void end_check(Checksum sum);
  void send_chunk();
  [[nodiscard]] bool prepare_chunk();
  void finish();
  void note_progress();
  void fail_here(const std::string& text);

  peer::Peer& peer_;
  std::string to_;
  const SourceFile& file_;
  OutgoingFile machine_;
  std::future<Reply> reply_;
  std::size_t chunk_bytes_ = 0;
  ByteBuffer chunk_;                                      // Head and bytes of the next chunk …
  std::uint64_t chunk_offset_ = 0;                        // … which begins here.
  std::size_t chunk_head_ = 0;                            // Bytes of its head.
  Checksum sum_;                                          // Of all before the position.
  std::deque<std::pair<std::uint64_t, Checksum>> marks_;  // Sums at earlier positions.
  std::optional<PrefixCheck> check_;
  std::optional<std::uint64_t> begun_;
  std::uint64_t began_at_ = 0;
  std::uint64_t delivered_ = 0;
  bool failed_here_ = false;
};

}  // namespace zpost::cli
