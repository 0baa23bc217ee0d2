// The tables of kinds and outcomes against those of SPEC.md.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "zpost/protocol/kinds.h"
#include "zpost/protocol/outcomes.h"

namespace zpost {
namespace {

/// Adds a row `| number | `name` | …`, if `line` is one.
void add_row(std::map<int, std::string>& table, const std::string& line) {
  std::istringstream row(line);
  std::string bar;
  std::string name;
  int number = 0;
  if (!(row >> bar >> number >> bar >> name) || name.size() < 3) return;
  if (name.front() == '`' && name.back() == '`') table[number] = name.substr(1, name.size() - 2);
}

std::map<int, std::string> spec_table(const std::string& section) {
  std::ifstream spec(ZPOST_PROTOCOL_DIR "/SPEC.md");
  std::map<int, std::string> table;
  bool inside = false;
  for (std::string line; std::getline(spec, line);) {
    if (line.starts_with("## ")) inside = line.starts_with("## " + section + " ");
    if (inside) add_row(table, line);
  }
  return table;
}

TEST(TablesTest, OutcomesAreThoseOfTheSpecification) {
  const auto spec = spec_table("8");
  EXPECT_GT(spec.size(), 25u);
  for (int code = 0; code < 300; ++code) {
    const auto row = spec.find(code);
    const std::string expected = row == spec.end() ? "unknown" : row->second;
    EXPECT_EQ(outcome_name(static_cast<Outcome>(code)), expected) << code;
  }
  EXPECT_EQ(static_cast<std::size_t>(spec.rbegin()->first) + 1, kOutcomeTableSize);
}

TEST(TablesTest, KindsAreThoseOfTheSpecification) {
  auto spec = spec_table("4");
  EXPECT_GT(spec.size(), 15u);
  // One row of the specification holds four reserved kinds.
  spec.merge(std::map<int, std::string>{
      {64, "subscribe"}, {65, "unsubscribe"}, {66, "offer"}, {67, "withdraw"}});
  for (int number = 0; number < 256; ++number) {
    const auto row = spec.find(number);
    const std::string expected = row == spec.end() ? "unknown" : row->second;
    EXPECT_EQ(kind_name(static_cast<Kind>(number)), expected) << number;
  }
}

TEST(TablesTest, AKindIsFoundByItsName) {
  for (int number = 0; number < 128; ++number) {
    const Kind kind = static_cast<Kind>(number);
    if (kind_name(kind) == "unknown") continue;
    EXPECT_EQ(kind_from_name(kind_name(kind)), kind);
  }
  EXPECT_FALSE(kind_from_name("unknown"));
  EXPECT_FALSE(kind_from_name(""));
}

TEST(TablesTest, PayloadAndProgramLaneAreWhatTheSpecificationSays) {
  for (const Kind kind : {Kind::kSend, Kind::kRequest, Kind::kReply, Kind::kPublish, Kind::kCall}) {
    EXPECT_TRUE(is_payload(kind));
    EXPECT_TRUE(is_program_lane(kind));
  }
  EXPECT_TRUE(is_program_lane(Kind::kPresence));
  EXPECT_FALSE(is_payload(Kind::kPresence));
  for (const Kind kind : {Kind::kPong, Kind::kOutcome, Kind::kReceipt, Kind::kWatch}) {
    EXPECT_FALSE(is_program_lane(kind));
  }
}

}  // namespace
}  // namespace zpost
