#include "peer/src/exhaustion.h"

#include <sys/resource.h>
#include <zmq.h>

#include <cerrno>
#include <string>
#include <vector>

#include "peer/src/wake.h"

namespace zpost::peer {
namespace {

std::string limit_text(int resource) {
  rlimit limit{};
  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return "none";
  return std::to_string(limit.rlim_cur);
}

}  // namespace

bool is_exhaustion(int number) {
  switch (number) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EMTHREAD:
      return true;
    default:
      return false;
  }
}

void require_descriptors(int count) {
  // Opening them is the only way to know; they are closed at once.
  std::vector<Wake> probes(static_cast<std::size_t>(count));
}

Failure exhausted(const std::system_error& error) {
  std::string text = error.what();
  if (error.code() == std::errc::too_many_files_open) {
    text += ": this process may have " + limit_text(RLIMIT_NOFILE) + " (ulimit -n)";
  } else if (error.code() == std::errc::resource_unavailable_try_again) {
    text += ": this user may have " + limit_text(RLIMIT_NPROC) + " threads (ulimit -u)";
  }
  return {Fault::kExhausted, Outcome::kNone, text};
}

}  // namespace zpost::peer
