#include "tools/bench/recorder.h"

#include <fmt/format.h>

#include <chrono>

#include "broker/tap/recall.h"
#include "broker/tap/recorder.h"
#include "zpost/protocol/kinds.h"

namespace zpost::bench {
namespace {

using Clock = std::chrono::steady_clock;
using tap::NameUse;
using tap::Recall;
using tap::Recorder;

constexpr std::uint64_t kStart = 1'767'225'600'000'000'000;
constexpr std::uint64_t kBetween = 10'000;  // ns from one envelope to the next.
constexpr std::uint64_t kFirstId = kStart;

/// The traffic, one run after the other.
class Traffic {
 public:
  explicit Traffic(const RecorderWork& work) : work_(work) {
    for (int i = 0; i < 2 * work.peers; ++i) names_.push_back(fmt::format("sensor-{:03}", i));
  }

  void add_next(Recorder& recorder) {
    const auto pair = static_cast<std::uint32_t>(next_ % static_cast<std::uint64_t>(work_.peers));
    const NameUse from = name(pair);
    const NameUse to = name(pair + static_cast<std::uint32_t>(work_.peers));
    TapRecord record;
    record.time_ns = kStart + next_ * work_.run * kBetween;
    record.first_id = id(next_);
    record.last_id = record.first_id + work_.run - 1;
    record.count = work_.run;
    record.bytes = 97 * work_.run;
    record.from = from.number;
    record.to = to.number;
    record.kind = static_cast<std::uint8_t>(Kind::kSend);
    for (const TapEvent event : {TapEvent::kReceived, TapEvent::kForwarded, TapEvent::kDelivered}) {
      record.event = event;
      if (event == TapEvent::kDelivered) {
        record.code = 1;
        record.time_ns += 150'000;
      }
      recorder.add(record, from, to);
    }
    ++next_;
  }

  [[nodiscard]] std::uint64_t runs() const { return next_; }

  /// Of the first envelope of a run.
  [[nodiscard]] std::uint64_t id(std::uint64_t run) const {
    return kFirstId + run / static_cast<std::uint64_t>(work_.peers) * work_.run;
  }

  [[nodiscard]] std::string sender(std::uint64_t run) const {
    return names_[run % static_cast<std::uint64_t>(work_.peers)];
  }

 private:
  [[nodiscard]] NameUse name(std::uint32_t index) const { return {index + 1, 1, names_[index]}; }

  const RecorderWork& work_;
  std::vector<std::string> names_;
  std::uint64_t next_ = 0;
};

Look look(std::string what, Recorder& recorder, const core::RecallWish& wish) {
  const auto begin = Clock::now();
  Recall recall(wish, recorder);
  Look look{std::move(what), 0, 0};
  while (!recall.over() || !recall.next_body().empty()) {
    if (recall.next_body().empty()) {
      (void)recall.go_on(recorder);
      continue;
    }
    look.records += recall.next_body().size() / sizeof(TapRecord);
    recall.pop_body();
  }
  look.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  return look;
}

}  // namespace

RecorderRun run_recorder(const RecorderWork& work) {
  Recorder recorder(work.bytes);
  Traffic traffic(work);
  const auto begin = Clock::now();
  // Until the oldest go, and a tenth more.
  std::uint64_t full_at = 0;
  while (full_at == 0 || traffic.runs() < full_at + full_at / 10) {
    traffic.add_next(recorder);
    if (full_at == 0 && recorder.bytes() + 2 * Recorder::kBlockBytes > work.bytes) {
      full_at = traffic.runs();
    }
  }
  RecorderRun run;
  const double spent = std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
  run.fill_ns = spent / static_cast<double>(3 * traffic.runs());
  run.records = recorder.records();
  run.envelopes = run.records / 3 * work.run;
  run.bytes = recorder.bytes();

  const std::uint64_t middle = traffic.runs() - run.records / 6;
  core::RecallWish wish;
  wish.id = traffic.id(middle);
  wish.filter.from = traffic.sender(middle);
  run.looks.push_back(look("an id of a known sender", recorder, wish));
  wish.filter.from.clear();
  run.looks.push_back(look("an id, whoever sent it", recorder, wish));
  wish = {};
  wish.latest = 8;
  wish.filter.from = traffic.sender(traffic.runs() - 1);
  run.looks.push_back(look("the latest of a sender", recorder, wish));
  wish.filter.from = "nobody";
  run.looks.push_back(look("the latest of nobody", recorder, wish));
  wish.filter.from = "nobo*";
  run.looks.push_back(look("all, for a pattern that none matches", recorder, wish));
  return run;
}

}  // namespace zpost::bench
