#include "broker/admin/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "broker/admin/health.h"

namespace zpost::admin {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

/// Pages of a routing thread that answers at once with `snapshot_`, or never.
class PagesTest : public testing::Test {
 protected:
  Snapshot snapshot_;
  bool stuck_ = false;
  Snapshots snapshots_{[this] {
    if (!stuck_) snapshots_.put(snapshot_);
  }};
  Pages pages_{{"1.2", "zpost", "r", {"tcp://127.0.0.1:1234"}}, snapshots_, milliseconds(1)};
};

TEST_F(PagesTest, MetricsAreInPrometheusText) {
  snapshot_.turns = 42;
  const Page page = pages_.page("/metrics");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.type, StartsWith("text/plain; version=0.0.4"));
  EXPECT_THAT(page.body, HasSubstr("# TYPE zpost_turns_total counter\nzpost_turns_total 42\n"));
  EXPECT_THAT(page.body, HasSubstr("zpost_build_info{version=\"1.2\",name=\"zpost\",run=\"r\"} 1"));
}

TEST_F(PagesTest, ABrokerThatTurnsIsHealthyAndReady) {
  EXPECT_EQ(pages_.page("/healthz").status, 200);
  EXPECT_EQ(pages_.page("/healthz").body, "ok\n");
  EXPECT_EQ(pages_.page("/readyz").status, 200);
}

TEST_F(PagesTest, ABrokerThatDoesNotTurnIsNeither) {
  stuck_ = true;
  for (const char* const path : {"/healthz", "/readyz", "/metrics"}) {
    const Page page = pages_.page(path);
    EXPECT_EQ(page.status, 503) << path;
    EXPECT_THAT(page.body, HasSubstr("has not turned")) << path;
  }
}

TEST_F(PagesTest, AStoppingBrokerIsHealthyButNotReady) {
  snapshot_.phase = Snapshot::Phase::kStopping;
  snapshot_.core.active = 3;
  EXPECT_EQ(pages_.page("/healthz").status, 200);
  const Page page = pages_.page("/readyz");
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.body, HasSubstr("stopping: 3 peers"));
}

TEST_F(PagesTest, ARestartedBrokerThatWaitsForPeersIsNotReady) {
  snapshot_.core.expected = 2;
  EXPECT_EQ(pages_.page("/healthz").status, 200);
  const Page page = pages_.page("/readyz");
  EXPECT_EQ(page.status, 503);
  EXPECT_THAT(page.body, HasSubstr("2 peers of the run before"));
}

TEST_F(PagesTest, OtherPathsNameThoseThereAre) {
  EXPECT_EQ(pages_.page("/").status, 200);
  EXPECT_THAT(pages_.page("/").body, HasSubstr("/metrics"));
  EXPECT_THAT(pages_.page("/").body, HasSubstr("\npeers connect to tcp://127.0.0.1:1234\n"));
  const Page page = pages_.page("/metric");
  EXPECT_EQ(page.status, 404);
  EXPECT_THAT(page.body, HasSubstr("/metrics"));
}

}  // namespace
}  // namespace zpost::admin
