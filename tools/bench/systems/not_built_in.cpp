// A system whose client library was missing when the bench was configured.
#include <fmt/core.h>

#include "tools/bench/failure.h"
#include "tools/bench/systems/systems.h"

namespace zpost::bench {
namespace {

class NotBuiltIn final : public System {
 public:
  NotBuiltIn(const std::string& name, const std::string& library)
      : name_(name), reason_(fmt::format("not built in ({} was missing)", library)) {}

  [[nodiscard]] std::string_view name() const override { return name_; }

  [[nodiscard]] std::string_view description() const override { return reason_; }

  [[nodiscard]] std::optional<std::string> unavailable() const override { return reason_; }

  [[nodiscard]] bool measures(Measure /*measure*/) const override { return true; }

  [[nodiscard]] Server start() const override { throw RunFailure(reason_); }

  void send(const Part&, Gate&, PayloadSource&) const override { throw RunFailure(reason_); }

  void receive(const Part&, Gate&, PayloadSink&) const override { throw RunFailure(reason_); }

  void ping(const Part&, Gate&, RoundTrips&) const override { throw RunFailure(reason_); }

  void echo(const Part&, Gate&) const override { throw RunFailure(reason_); }

 private:
  std::string name_;
  std::string reason_;
};

}  // namespace

std::unique_ptr<System> make_not_built_in(const std::string& name, const std::string& library) {
  return std::make_unique<NotBuiltIn>(name, library);
}

}  // namespace zpost::bench
