#include "broker/app/id_floor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace zpost::app {

namespace {

constexpr std::string_view kHead = "zpost-id-floor";
constexpr std::size_t kMaxFileBytes = 64;  // More than any state file has.

Error failed(const std::string& path, std::string_view what, int error) {
  return {Outcome::kNone, fmt::format("{}: cannot {}: {}", path, what, std::strerror(error))};
}

/// The number of `zpost-id-floor NUMBER`, a line: without its end it is not whole.
std::optional<std::uint64_t> parse_floor(std::string_view text) {
  if (!text.starts_with(kHead) || !text.ends_with('\n')) return {};
  text.remove_prefix(kHead.size());
  if (!text.starts_with(' ')) return {};
  text = text.substr(1, text.size() - 2);
  std::uint64_t floor = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, floor);
  if (read.ec != std::errc{} || read.ptr != end) return {};
  return floor;
}

/// A descriptor that is closed.
class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}

  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }

  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  [[nodiscard]] bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = ::write(fd_, text.data(), text.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  [[nodiscard]] bool sync() const { return ::fsync(fd_) == 0; }

 private:
  int fd_;
};

}  // namespace

Result<std::uint64_t> IdFloorFile::load() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    if (errno == ENOENT || errno == ENOTDIR) return std::uint64_t{0};
    return failed(path_, "read", errno);
  }
  std::string text(kMaxFileBytes, '\0');
  file.read(text.data(), kMaxFileBytes);
  if (file.bad()) return failed(path_, "read", errno);
  text.resize(static_cast<std::size_t>(file.gcount()));
  const auto floor = parse_floor(text);
  if (floor) return *floor;
  // An empty one is no exception: a crash of ours leaves the old file or the new one.
  return Error{Outcome::kMalformed,
               fmt::format("{}: is no state file of a broker: it should say \"{} NUMBER\"{}", path_,
                           kHead, text.empty() ? ", and is empty" : "")};
}

Result<void> IdFloorFile::store(std::uint64_t floor) const {
  const auto known = load();
  if (!known) return known.error();
  floor = std::max(floor, *known);

  const std::filesystem::path path(path_);
  const std::string directory = path.has_parent_path() ? path.parent_path().string() : ".";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return failed(directory, "make the directory", error.value());

  const std::string fresh = fmt::format("{}.{}", path_, ::getpid());
  {
    const File file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.is_open()) return failed(fresh, "write", errno);
    if (!file.write(fmt::format("{} {}\n", kHead, floor)) || !file.sync()) {
      const int reason = errno;
      ::unlink(fresh.c_str());
      return failed(fresh, "write", reason);
    }
  }
  if (::rename(fresh.c_str(), path_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(fresh.c_str());
    return failed(path_, "write", reason);
  }
  const File parent(directory, O_RDONLY | O_DIRECTORY);
  if (!parent.is_open() || !parent.sync()) return failed(directory, "sync", errno);
  return {};
}

Result<std::string> default_state_path(std::string_view endpoint, const char* xdg_state_home,
                                       const char* home) {
  std::string base;
  if (xdg_state_home != nullptr && xdg_state_home[0] == '/') {
    base = xdg_state_home;
  } else if (home != nullptr && home[0] == '/') {
    base = fmt::format("{}/.local/state", home);
  } else {
    return Error{Outcome::kNone, "neither XDG_STATE_HOME nor HOME is set: give --state FILE"};
  }
  std::string name(endpoint);
  std::replace_if(
      name.begin(), name.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '.' && c != '-'; }, '_');
  return fmt::format("{}/zpost/id-floor-{}", base, name);
}

IdFloorKeeper::IdFloorKeeper(IdFloorFile file, std::function<void(std::string)> warn)
    : file_(std::move(file)), warn_(std::move(warn)) {}

IdFloorKeeper::~IdFloorKeeper() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

Result<std::uint64_t> IdFloorKeeper::start(std::uint64_t now_wall_ns) {
  auto floor = file_.load();
  if (!floor) return floor;
  asked_ = std::max(*floor, now_wall_ns) + kAhead;
  write(asked_);
  thread_ = std::thread([this] { run(); });
  return floor;
}

void IdFloorKeeper::advance(std::uint64_t floor) {
  if (floor + kAhead / 2 <= asked_) return;
  asked_ = floor + kAhead;
  {
    const std::lock_guard lock(mutex_);
    wanted_ = asked_;
  }
  changed_.notify_one();
}

void IdFloorKeeper::run() {
  ::pthread_setname_np(::pthread_self(), "zpost-id-floor");
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || wanted_ > 0; });
    const std::uint64_t floor = std::exchange(wanted_, 0);
    const bool last = stopping_;
    lock.unlock();
    if (floor > 0) write(floor);
    if (last) return;
    lock.lock();
  }
}

void IdFloorKeeper::write(std::uint64_t floor) {
  const auto result = file_.store(floor);
  if (!result && !warned_) warn_(result.error().text);
  warned_ = !result;
}

}  // namespace zpost::app
