#include "peer/src/session.h"

#include <sys/random.h>

#include <algorithm>
#include <system_error>
#include <vector>

namespace zpost::peer {

std::string random_hex(std::size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::vector<unsigned char> random((digits + 1) / 2);
  if (getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
    throw std::system_error(errno, std::generic_category(), "getrandom");
  }
  std::string text;
  for (std::size_t i = 0; i < digits; ++i) {
    const unsigned byte = random[i / 2];
    text += kDigits[(i % 2 == 0 ? byte >> 4 : byte) & 0xf];
  }
  return text;
}

std::string fresh_name() {
  return "anon-" + random_hex(8);
}

bool is_final(const Refusal& refusal, bool first, bool wait_for_name) {
  switch (refusal.code) {
    case Outcome::kNameHeld:
      return !(first && wait_for_name);
    case Outcome::kReplaced:
    case Outcome::kVersion:
    case Outcome::kBadIdentity:
    case Outcome::kDenied:
    case Outcome::kBadName:
      return true;
    case Outcome::kDraining:
    case Outcome::kSilent:
    case Outcome::kFull:
    case Outcome::kNotWelcomed:
      return false;
    default:
      return !refusal.retry;
  }
}

std::chrono::microseconds Backoff::next() {
  const std::chrono::microseconds pause = next_;
  next_ = std::min(next_ * 2, last_);
  seed_ = seed_ * 6364136223846793005U + 1442695040888963407U;  // Knuth's MMIX.
  const auto cut = static_cast<double>(seed_ >> 33) / static_cast<double>(1ULL << 32);  // 0 to 0.5.
  return pause - std::chrono::duration_cast<std::chrono::microseconds>(pause * cut);
}

}  // namespace zpost::peer
