#include "broker/app/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#ifdef ZPOST_ADDRESS_SANITIZER
#include <sanitizer/allocator_interface.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>

namespace zpost::app {

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::uint64_t resident_bytes() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  std::array<char, 128> text{};
  const ssize_t size = ::read(fd, text.data(), text.size());
  ::close(fd);
  if (size <= 0) return 0;
  // Pages: all, resident, …
  const char* const end = text.data() + size;
  std::uint64_t all = 0;
  std::uint64_t resident = 0;
  const auto first = std::from_chars(text.data(), end, all);
  if (first.ec != std::errc{} || first.ptr == end) return 0;
  if (std::from_chars(first.ptr + 1, end, resident).ec != std::errc{}) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

void keep_free_memory(std::uint64_t limit) {
  constexpr std::uint64_t kMostKept = 256 << 20;
  constexpr std::uint64_t kMostAhead = 16 << 20;
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, static_cast<int>(std::min(kMostKept, limit / 4)));
  mallopt(M_TOP_PAD, static_cast<int>(std::min(kMostAhead, limit / 64)));
}

void give_back_free_memory() {
#ifdef ZPOST_ADDRESS_SANITIZER
  ::__sanitizer_purge_allocator();  // Its allocator stands in for the C library's.
#else
  ::malloc_trim(0);
#endif
}

std::uint64_t needed_bytes(std::uint64_t limit, const std::function<void()>& give_back) {
  const std::uint64_t bytes = resident_bytes();
  if (bytes <= limit) return bytes;
  give_back();
  return resident_bytes();
}

std::string random_hex() {
  std::array<unsigned char, 16> random{};
  if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  constexpr const char* kDigits = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : random) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace zpost::app
