// Files that tell what a worker did, up to the moment it was killed.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>

namespace zpost::test {

/// An envelope handed to the library.
struct SentEntry {
  std::uint64_t id = 0;
  std::uint32_t sequence = 0;  // Per recipient, from 0.
  std::uint8_t recipient = 0;  // Index among the worker's --to.
  std::uint8_t outcome = 0;    // The latest final outcome; 0: none so far.
  std::uint16_t reports = 0;   // How many final outcomes were told: 1 when all is well.
};

/// An envelope the library handed to the program.
struct ReceivedEntry {
  std::uint64_t id = 0;
  std::uint32_t sequence = 0;
  std::uint32_t sender = 0;  // In order of appearance.
};

/// A u64 count, then as many entries, in a file that is shared memory: what was written before a
/// kill -9 stays, and others read it meanwhile. Entries beyond `capacity` are counted only.
template <typename Entry>
class LedgerFile {
 public:
  /// Throws std::system_error.
  LedgerFile(const std::string& path, std::size_t capacity) : capacity_(capacity) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_ = sizeof(std::uint64_t) + capacity * sizeof(Entry);
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(size_)) != 0) fail(path);
    void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory == MAP_FAILED) fail(path);
    count_ = static_cast<std::uint64_t*>(memory);
    entries_ = reinterpret_cast<Entry*>(count_ + 1);
  }

  ~LedgerFile() { ::munmap(count_, size_); }

  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;

  void add(const Entry& entry) {
    if (*count_ < capacity_) entries_[*count_] = entry;
    __atomic_store_n(count_, *count_ + 1, __ATOMIC_RELEASE);  // The entry first.
  }

  [[nodiscard]] std::size_t count() const { return *count_; }

  /// REQUIRES: index < count() and index < capacity.
  [[nodiscard]] Entry& operator[](std::size_t index) { return entries_[index]; }

 private:
  [[noreturn]] static void fail(const std::string& path) {
    throw std::system_error(errno, std::generic_category(), path);
  }

  std::size_t capacity_;
  std::size_t size_ = 0;
  std::uint64_t* count_ = nullptr;
  Entry* entries_ = nullptr;
};

}  // namespace zpost::test
