#include "peer/cli/send_report.h"

#include <gmock/gmock.h>

#include "peer/cli/shared/json.h"

namespace zpost::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SendReportTest : public testing::Test {
 protected:
  SendReport report(Format format, bool numbered) {
    return SendReport(format, numbered,
                      {[this](const std::string& line) { data.push_back(line); },
                       [this](const std::string& line) { messages.push_back(line); }});
  }

  std::vector<std::string> data;
  std::vector<std::string> messages;
};

TEST_F(SendReportTest, WhatWasDeliveredNeedsNoWords) {
  SendReport report = this->report(Format::kText, false);
  report.sent(100, 1, 1);
  report.settled({100, "bob", Outcome::kDelivered, ""});
  report.finish();
  EXPECT_THAT(data, IsEmpty());
  EXPECT_THAT(messages, IsEmpty());
  EXPECT_EQ(report.failures(), 0U);
}

TEST_F(SendReportTest, AFailureIsNamedWithItsLineAlsoWhenIdsHaveGaps) {
  SendReport report = this->report(Format::kText, true);
  report.sent(100, 2, 1);
  report.sent(200, 2, 3);
  report.settled({201, "bob", Outcome::kNoPeer, ""});
  EXPECT_THAT(messages, ElementsAre("line 4 not delivered: no-peer: nobody named bob is here"));
}

TEST_F(SendReportTest, OfManyFailuresAFewAreNamedAndTheRestCounted) {
  SendReport report = this->report(Format::kText, true);
  report.sent(1, 2000, 1);
  for (std::uint64_t id = 1; id <= 2000; ++id) {
    report.settled({id, "bob", id % 2 == 0 ? Outcome::kLost : Outcome::kNoPeer, ""});
  }
  report.finish();
  ASSERT_THAT(messages, SizeIs(SendReport::kNamedFailures + 2));
  EXPECT_EQ(messages[SendReport::kNamedFailures], "997 more not delivered: no-peer");
  EXPECT_EQ(messages.back(), "998 more not delivered: lost");
  EXPECT_EQ(report.failures(), 2000U);
}

TEST_F(SendReportTest, OfManyThatWereTooLargeAFewAreNamedAndTheRestCounted) {
  SendReport report = this->report(Format::kText, true);
  for (std::uint64_t line = 1; line <= 10; ++line) report.too_large(line, "too long");
  report.finish();
  ASSERT_THAT(messages, SizeIs(SendReport::kNamedFailures + 1));
  EXPECT_EQ(messages.back(), "5 more not delivered: too-large");
  EXPECT_EQ(report.failures(), 10U);
}

TEST_F(SendReportTest, JsonIsOneObjectForEachEnvelope) {
  SendReport report = this->report(Format::kJson, true);
  report.sent(100, 2, 1);
  report.settled({101, "bob", Outcome::kDelivered, ""});
  ASSERT_THAT(data, SizeIs(1));
  const Json json = Json::parse(data[0]);
  EXPECT_EQ(json["id"], "101");
  EXPECT_EQ(json["to"], "bob");
  EXPECT_EQ(json["line"], 2);
  EXPECT_EQ(json["outcome"], "delivered");
}

TEST_F(SendReportTest, ALineThatWasTooLargeToSendIsAFailureToo) {
  SendReport report = this->report(Format::kJson, true);
  report.too_large(3, "9 bytes, the limit is 8");
  EXPECT_EQ(report.failures(), 1U);
  EXPECT_THAT(messages, ElementsAre(HasSubstr("too-large: 9 bytes, the limit is 8")));
  EXPECT_EQ(Json::parse(data[0])["outcome"], "too-large");
}

}  // namespace
}  // namespace zpost::cli
