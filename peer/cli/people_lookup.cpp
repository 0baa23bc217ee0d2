#include "peer/cli/people_lookup.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace zpost::cli {
namespace {

constexpr std::chrono::milliseconds kPatience{1500};

}  // namespace

PeopleLookup::PeopleLookup(peer::Peer& peer)
    : peer_(peer), arrived_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

PeopleLookup::~PeopleLookup() {
  if (thread_.joinable()) thread_.join();
  ::close(arrived_);
}

void PeopleLookup::ask(Then then) {
  waiting_.push_back(std::move(then));
  if (waiting_.size() > 1) return;
  if (thread_.joinable()) thread_.join();  // It has answered.
  thread_ = std::thread([this] { look(); });
}

void PeopleLookup::look() {
  People people = peer_.who(kPatience);
  const std::scoped_lock lock(mutex_);
  people_ = std::move(people);
  (void)::eventfd_write(arrived_, 1);
}

void PeopleLookup::deliver() {
  eventfd_t count = 0;
  if (::eventfd_read(arrived_, &count) != 0) return;
  std::unique_lock lock(mutex_);
  const std::optional<People> people = std::exchange(people_, std::nullopt);
  lock.unlock();
  for (const Then& then : std::exchange(waiting_, {})) {
    if (people) then(*people);
  }
}

}  // namespace zpost::cli
