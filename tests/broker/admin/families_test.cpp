#include "broker/admin/families.h"

#include <gtest/gtest.h>
#include <prometheus/check_names.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

namespace zpost::admin {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class FamiliesTest : public testing::Test {
 protected:
  std::vector<MetricFamily> all() const { return families({"1.2", "zpost", "r"}, snapshot_, {}); }

  MetricFamily family(const std::string& name) const {
    for (MetricFamily& each : all()) {
      if (each.name == name) return each;
    }
    ADD_FAILURE() << "no " << name;
    return {};
  }

  /// The sample with this label; the first one if it is empty.
  ClientMetric sample(const std::string& name, const std::string& label = "") const {
    for (const ClientMetric& each : family(name).metric) {
      if (label.empty() || (!each.label.empty() && each.label.front().value == label)) return each;
    }
    ADD_FAILURE() << "no " << name << " of " << label;
    return {};
  }

  Snapshot snapshot_;
};

TEST_F(FamiliesTest, NamesAreValidAndUniqueAndHaveHelp) {
  std::set<std::string> names;
  for (const MetricFamily& each : all()) {
    EXPECT_TRUE(prometheus::CheckMetricName(each.name)) << each.name;
    EXPECT_TRUE(names.insert(each.name).second) << each.name << " is there twice";
    EXPECT_FALSE(each.help.empty()) << each.name;
    EXPECT_FALSE(each.metric.empty()) << each.name;
  }
}

TEST_F(FamiliesTest, CountersAndOnlyTheyEndInTotal) {
  for (const MetricFamily& each : all()) {
    EXPECT_EQ(each.type == MetricType::Counter, each.name.ends_with("_total")) << each.name;
  }
}

TEST_F(FamiliesTest, TheAccountingIsToldAsItIs) {
  core::Accounting& counts = snapshot_.core.accounting;
  counts.received = 10;
  counts.copies = 2;
  counts.delivered = 6;
  counts.unconfirmed = 1;
  counts.held = 2;
  counts.fail(Outcome::kNoPeer, 3);
  EXPECT_EQ(sample("zpost_envelopes_received_total").counter.value, 10);
  EXPECT_EQ(sample("zpost_envelopes_copied_total").counter.value, 2);
  EXPECT_EQ(sample("zpost_envelopes_delivered_total").counter.value, 6);
  EXPECT_EQ(sample("zpost_envelopes_unconfirmed_total").counter.value, 1);
  EXPECT_EQ(sample("zpost_envelopes_held").gauge.value, 2);
  EXPECT_EQ(sample("zpost_envelopes_failed_total", "no-peer").counter.value, 3);
}

TEST_F(FamiliesTest, EveryFailureHasASampleFromTheStart) {
  const MetricFamily failed = family("zpost_envelopes_failed_total");
  std::set<std::string> outcomes;
  for (const ClientMetric& each : failed.metric) outcomes.insert(each.label.front().value);
  for (const char* const outcome : {"duplicate", "no-peer", "full", "lost", "over-rate"}) {
    EXPECT_TRUE(outcomes.contains(outcome)) << outcome;
  }
  EXPECT_FALSE(outcomes.contains("unknown"));
  EXPECT_FALSE(outcomes.contains("delivered"));
}

TEST_F(FamiliesTest, AHistogramAddsUpAndEndsInInfinity) {
  core::LatencyHistogram& times =
      snapshot_.core.latencies.delivery(static_cast<std::uint8_t>(Kind::kSend));
  times.add(10'000, 2);  // The end of a bucket is in it.
  times.add(10'001, 3);
  times.add(60'000'000'000, 1);
  const ClientMetric metric = sample("zpost_delivery_seconds", "send");
  const auto& buckets = metric.histogram.bucket;
  EXPECT_EQ(metric.histogram.sample_count, 6U);
  EXPECT_NEAR(metric.histogram.sample_sum, 60.000050003, 1e-9);
  EXPECT_EQ(buckets[0].upper_bound, 1e-5);
  EXPECT_EQ(buckets[0].cumulative_count, 2U);
  EXPECT_EQ(buckets[1].cumulative_count, 5U);
  EXPECT_TRUE(std::isinf(buckets.back().upper_bound));
  EXPECT_EQ(buckets.back().cumulative_count, 6U);
  EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end(), [](const auto& a, const auto& b) {
    return a.upper_bound < b.upper_bound;
  }));
}

TEST_F(FamiliesTest, TheProcessTellsOfItself) {
  const ProcessStats stats = read_process_stats();
  EXPECT_GT(stats.resident_bytes, 0U);
  EXPECT_GT(stats.virtual_bytes, stats.resident_bytes);
  EXPECT_GT(stats.open_fds, 2U);
  EXPECT_GE(stats.max_fds, stats.open_fds);
  EXPECT_GE(stats.threads, 1U);
  EXPECT_GT(stats.start_time_seconds, 1e9);
}

}  // namespace
}  // namespace zpost::admin
