#include "tools/bench/system.h"

#include <fmt/core.h>

#include "tools/bench/failure.h"

namespace zpost::bench {
namespace {

[[noreturn]] void refuse(const System& system, const char* what) {
  throw RunFailure(fmt::format("{} has no {}", system.name(), what));
}

}  // namespace

Server System::start_within(const Limits& /*limits*/) const {
  return start();
}

std::unique_ptr<RingPeer> System::join(const RingSeat& /*seat*/, PayloadSink& /*sink*/) const {
  refuse(*this, "peers for a ring");
}

void System::flood(const Part& /*part*/, Gate& /*gate*/,
                   std::span<PayloadSource> /*sources*/) const {
  refuse(*this, "sender to several receivers");
}

void System::publish(const Part& /*part*/, Gate& /*gate*/, PayloadSource& /*source*/) const {
  refuse(*this, "topics");
}

void System::subscribe(const Part& /*part*/, Gate& /*gate*/, PayloadSink& /*sink*/) const {
  refuse(*this, "topics");
}

void System::work(const Part& /*part*/, Gate& /*gate*/) const {
  refuse(*this, "services");
}

void System::call(const Part& /*part*/, Gate& /*gate*/, PayloadSource& /*source*/,
                  PayloadSink& /*sink*/) const {
  refuse(*this, "services");
}

void System::send_told(const Part& part, Gate& gate, PayloadSource& source,
                       ToldCounts& /*told*/) const {
  send(part, gate, source);
}

void System::receive_told(const Part& part, Gate& gate, PayloadSink& sink,
                          ToldCounts& /*told*/) const {
  receive(part, gate, sink);
}

void System::send_mixed(const Part& /*part*/, Gate& /*gate*/, MixedSources /*sources*/,
                        std::atomic<std::uint64_t>& /*held*/) const {
  refuse(*this, "senders to several receivers");
}

}  // namespace zpost::bench
