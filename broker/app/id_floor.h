// The floor of ids: what keeps a restarted broker from giving an id twice. SPEC.md, section 6.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "zpost/protocol/result.h"

namespace zpost::app {

/// A small file with one number. Written to another name, synced, renamed: whole at any crash.
class IdFloorFile {
 public:
  explicit IdFloorFile(std::string path) : path_(std::move(path)) {}

  /// 0 if there is no file yet. Error: the path and what is wrong; ids of earlier runs are unknown.
  [[nodiscard]] Result<std::uint64_t> load() const;

  /// Makes directories as needed. Never lowers what the file says, and leaves one alone that load()
  /// does not understand. Error: the path and why.
  [[nodiscard]] Result<void> store(std::uint64_t floor) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Where the state of a broker at `endpoint` is kept: below $XDG_STATE_HOME, else ~/.local/state;
/// null: not set. Error: neither is known.
[[nodiscard]] Result<std::string> default_state_path(std::string_view endpoint,
                                                     const char* xdg_state_home, const char* home);

/// Keeps the file ahead of the ids in use, on a thread of its own since it syncs.
/// Thread: the one that made it, plus its own.
class IdFloorKeeper {
 public:
  static constexpr std::uint64_t kAhead = 3'600'000'000'000;  // An hour of the clock, in ns.

  /// `warn` is called with one line when the file cannot be written, at most once in a row, from
  /// any of the two threads.
  IdFloorKeeper(IdFloorFile file, std::function<void(std::string)> warn);
  ~IdFloorKeeper();
  IdFloorKeeper(const IdFloorKeeper&) = delete;
  IdFloorKeeper& operator=(const IdFloorKeeper&) = delete;

  /// Reads the floor of earlier runs and writes ahead of it and of `now`, before it returns.
  /// 0 if there is no file. Error: there is one that cannot be read, and nothing was written.
  [[nodiscard]] Result<std::uint64_t> start(std::uint64_t now_wall_ns);

  /// The floor has come this far. Cheap; has the file rewritten when half of the lead is used up.
  void advance(std::uint64_t floor);

 private:
  void run();
  void write(std::uint64_t floor);

  const IdFloorFile file_;
  const std::function<void(std::string)> warn_;
  std::uint64_t asked_ = 0;  // Of the calling thread: the highest floor asked to be written.
  bool warned_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t wanted_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace zpost::app
