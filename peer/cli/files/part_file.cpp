#include "peer/cli/files/part_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include "peer/cli/files/file_name.h"

namespace zpost::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kMoment{10};
constexpr std::size_t kReadAtOnce = 1 << 20;
constexpr std::uint64_t kToDiskAtOnce = 8 << 20;

Error write_failure(const std::string& what) {
  return {Outcome::kNone, fmt::format("{}: {}", what, std::strerror(errno))};
}

Result<StoredFile::Checked> sum_of(int file, std::uint64_t size, const std::string& name,
                                   const std::atomic<bool>& given_up) {
  StoredFile::Checked checked;
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size, kReadAtOnce));
  while (checked.size < size && !given_up) {
    const std::size_t wanted = std::min<std::uint64_t>(size - checked.size, buffer.size());
    const ssize_t count = ::pread(file, buffer.data(), wanted, static_cast<off_t>(checked.size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return write_failure(name);
    if (count == 0) break;  // Somebody made it shorter.
    checked.sum.update(Bytes(buffer).first(static_cast<std::size_t>(count)));
    checked.size += static_cast<std::uint64_t>(count);
  }
  return checked;
}

template <typename T>
std::optional<T> ready(std::future<T>& future) {
  if (future.wait_for(kMoment) != std::future_status::ready) return std::nullopt;
  return future.get();
}

/// Renames within `folder` unless `to` exists. An errno, or 0.
int rename_to_new(int folder, const std::string& from, const std::string& to) {
  if (::renameat2(folder, from.c_str(), folder, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
  // A file system that cannot do that, but mostly this.
  if (::linkat(folder, from.c_str(), folder, to.c_str(), 0) != 0) return errno;
  return ::unlinkat(folder, from.c_str(), 0) == 0 ? 0 : errno;
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (number_ >= 0) ::close(number_);
}

FileCheck::FileCheck(int file, std::uint64_t size, std::string name) {
  // A thread only for what takes a while.
  const auto when = size > kReadAtOnce ? std::launch::async : std::launch::deferred;
  sum_ = std::async(when, [this, file, size, what = std::move(name)] {
    return sum_of(file, size, what, given_up_);
  });
  if (when == std::launch::deferred) sum_.wait();
}

FileCheck::~FileCheck() {
  given_up_ = true;
}

std::optional<Result<StoredFile::Checked>> FileCheck::result() {
  return ready(sum_);
}

PartFile::PartFile(std::shared_ptr<const SavePlace> place, Descriptor file, std::uint64_t size,
                   const FileOffer& offer)
    : place_(std::move(place)),
      file_(std::move(file)),
      name_(offer.name),
      part_(part_name(offer.name, offer.transfer)),
      modified_ns_(offer.modified_ns),
      written_(size),
      under_way_to_disk_(size),
      check_(file_.number(), size, offer.name) {}

PartFile::~PartFile() {
  if (written_ == 0 && !saving_.valid()) PartFile::discard();
}

Result<void> PartFile::append(std::uint64_t offset, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return write_failure(name_);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  written_ = offset;
  if (written_ - under_way_to_disk_ < kToDiskAtOnce) return {};
  // So that little is left to wait for at the end.
  (void)::sync_file_range(file_.number(), static_cast<off_t>(under_way_to_disk_),
                          static_cast<off_t>(written_ - under_way_to_disk_), SYNC_FILE_RANGE_WRITE);
  under_way_to_disk_ = written_;
  return {};
}

std::optional<Result<std::string>> PartFile::save() {
  if (!saving_.valid()) {
    saving_ = std::async(std::launch::async, [this] { return put_in_place(); });
  }
  return ready(saving_);
}

/// Nothing has its name that is not wholly on the disk.
Result<std::string> PartFile::put_in_place() const {
  if (modified_ns_ > 0) {
    constexpr std::uint64_t kSecond = 1'000'000'000;
    timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = static_cast<time_t>(modified_ns_ / kSecond);
    times[1].tv_nsec = static_cast<long>(modified_ns_ % kSecond);
    (void)::futimens(file_.number(), times);  // A nicety.
  }
  if (::fsync(file_.number()) != 0) return write_failure(name_);
  Result<std::string> name = rename();
  if (name && ::fsync(place_->folder.number()) != 0) return write_failure(place_->path);
  return name;
}

Result<std::string> PartFile::rename() const {
  const int folder = place_->folder.number();
  if (place_->overwrite) {
    if (::renameat(folder, part_.c_str(), folder, name_.c_str()) != 0) return write_failure(name_);
    return name_;
  }
  std::string name = name_;
  for (unsigned number = 2; number < kMostNumbers; ++number) {
    const int error = rename_to_new(folder, part_, name);
    if (error == 0) return name;
    errno = error;
    if (error != EEXIST) return write_failure(name_);
    name = numbered_name(name_, number);
  }
  return Error{Outcome::kNone, fmt::format("{}: there are {} of that name", name_, kMostNumbers)};
}

void PartFile::discard() {
  (void)::unlinkat(place_->folder.number(), part_.c_str(), 0);
}

}  // namespace zpost::cli
