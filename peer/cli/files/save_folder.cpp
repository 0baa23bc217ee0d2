#include "peer/cli/files/save_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "peer/cli/files/file_name.h"
#include "peer/cli/shared/units.h"

namespace zpost::cli {
namespace {

// Without O_NONBLOCK a named pipe somebody put there would keep us.
constexpr int kCarefully = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
constexpr mode_t kMode = 0666;  // The umask has its say.

Error folder_failure(const std::string& what) {
  return {Outcome::kNone, fmt::format("{}: {}", what, std::strerror(errno))};
}

std::uint64_t part_modified_ns(const struct stat& status) {
  return static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(status.st_mtim.tv_nsec);
}

/// An ordinary file of ours that has no other name; whoever may write to the folder could have made
/// it a link to something else.
bool is_ours(const struct stat& status) {
  return S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && status.st_nlink == 1;
}

}  // namespace

Result<SaveFolder> SaveFolder::open(const std::string& path, bool overwrite) {
  auto place = std::make_shared<SavePlace>();
  place->folder = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  place->path = path;
  place->overwrite = overwrite;
  if (!place->folder.is_open()) return folder_failure(path);
  if (::faccessat(place->folder.number(), ".", W_OK | X_OK, AT_EACCESS) != 0)
    return folder_failure(path);
  return SaveFolder(std::move(place));
}

Result<std::unique_ptr<StoredFile>> SaveFolder::open(const FileOffer& offer) {
  if (!offer.anew) {
    if (auto saved = find_saved(offer)) return saved;
  }
  const std::string part = part_name(offer.name, offer.transfer);
  Result<Descriptor> file = open_part(part);
  if (!file) return file.error();
  struct stat status = {};
  if (::fstat(file->number(), &status) != 0) return folder_failure(offer.name);
  auto size = static_cast<std::uint64_t>(status.st_size);
  if (offer.anew || size > offer.size) {
    if (::ftruncate(file->number(), 0) != 0) return folder_failure(offer.name);
    size = 0;
  }
  if (const Result<void> room = check_room(offer.size - size); !room) {
    if (size == 0) (void)::unlinkat(place_->folder.number(), part.c_str(), 0);
    return room.error();
  }
  return std::unique_ptr<StoredFile>(
      std::make_unique<PartFile>(place_, std::move(*file), size, offer));
}

/// A name that was taken got a number, which the file must not get anew each time it is sent.
std::unique_ptr<StoredFile> SaveFolder::find_saved(const FileOffer& offer) const {
  if (offer.modified_ns == 0) return nullptr;
  std::string name = offer.name;
  for (unsigned number = 2; number < kMostNumbers; ++number) {
    Descriptor file = open_equal(name, offer);
    if (file.is_open()) {
      return std::make_unique<SavedFile>(std::move(file), offer.size, std::move(name));
    }
    // With the first number that is free they end.
    const bool is_free =
        ::faccessat(place_->folder.number(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) != 0;
    if (place_->overwrite || (is_free && number > 2)) return nullptr;
    name = numbered_name(offer.name, number);
  }
  return nullptr;
}

/// It is worth a look if it has the size and time that were offered. Not open: it is not.
Descriptor SaveFolder::open_equal(const std::string& name, const FileOffer& offer) const {
  Descriptor file(::openat(place_->folder.number(), name.c_str(), O_RDONLY | kCarefully));
  struct stat status = {};
  if (!file.is_open() || ::fstat(file.number(), &status) != 0) return Descriptor();
  const bool is_equal = S_ISREG(status.st_mode) &&
                        static_cast<std::uint64_t>(status.st_size) == offer.size &&
                        part_modified_ns(status) == offer.modified_ns;
  return is_equal ? std::move(file) : Descriptor();
}

Result<Descriptor> SaveFolder::open_part(const std::string& part) const {
  const int folder = place_->folder.number();
  Descriptor file(::openat(folder, part.c_str(), O_RDWR | O_CREAT | O_EXCL | kCarefully, kMode));
  if (!file.is_open() && errno == EEXIST) {
    file = Descriptor(::openat(folder, part.c_str(), O_RDWR | kCarefully));
  }
  if (!file.is_open()) return folder_failure(part);
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    return Error{Outcome::kNone, part + ": another program receives this file now"};
  }
  struct stat status = {};
  struct stat named = {};
  if (::fstat(file.number(), &status) != 0 ||
      ::fstatat(folder, part.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0) {
    return folder_failure(part);
  }
  // Who held the lock may just have given the file its final name.
  if (!is_ours(status) || status.st_ino != named.st_ino || status.st_dev != named.st_dev) {
    return Error{Outcome::kNone, part + ": it is not a part that was received here"};
  }
  return file;
}

Result<void> SaveFolder::check_room(std::uint64_t bytes) const {
  struct statvfs status = {};
  if (::fstatvfs(place_->folder.number(), &status) != 0) return folder_failure(place_->path);
  const std::uint64_t free = status.f_bavail * status.f_frsize;
  if (bytes <= free) return {};
  return Error{Outcome::kTooLarge,
               fmt::format("it needs {}, there is room for {}", size_text(bytes), size_text(free))};
}

}  // namespace zpost::cli
