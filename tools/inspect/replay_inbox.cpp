#include "tools/inspect/replay_inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace zpost::inspect {

ReplayInbox::ReplayInbox() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}

ReplayInbox::~ReplayInbox() {
  ::close(wake_);
}

void ReplayInbox::put(ReplayNews news) {
  const std::lock_guard lock(mutex_);
  news_.push_back(std::move(news));
  if (news_.size() > 1) return;
  const std::uint64_t one = 1;
  // It cannot be full: only the first of several wakes.
  (void)!::write(wake_, &one, sizeof one);
}

std::vector<ReplayNews> ReplayInbox::take() {
  const std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  (void)!::read(wake_, &count, sizeof count);
  return std::exchange(news_, {});
}

}  // namespace zpost::inspect
