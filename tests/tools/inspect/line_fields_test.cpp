#include "tools/inspect/line_fields.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tools/inspect/line_template.h"

namespace zpost::inspect {
namespace {

constexpr std::uint64_t kFieldsTime = 1'767'225'600'000'000'000;

TailLine line_with(std::string_view body) {
  TailLine line{.event = TapEvent::kReceived,
                .time_ns = kFieldsTime,
                .sequence = 3,
                .from = "alice",
                .to = "bob",
                .kind_number = 16,
                .first_id = 7,
                .last_id = 7,
                .count = 1,
                .bytes = 33};
  line.envelope = ShownEnvelope{.kind_number = 16, .id = 7, .body = as_bytes(body), .size = 33};
  return line;
}

std::vector<LineField> fields(const std::string& text) {
  auto read = line_fields(text);
  EXPECT_TRUE(read.has_value()) << text;
  return *std::move(read);
}

std::string row(const std::string& chosen, const TailLine& line) {
  return fields_row(fields(chosen), line);
}

std::string error_of_fields(const std::string& text) {
  const auto read = line_fields(text);
  EXPECT_FALSE(read.has_value()) << text;
  return read ? "" : read.error().on_one_line(text);
}

std::string shown(const std::string& shape, const TailLine& line) {
  const auto read = LineTemplate::parse(shape);
  EXPECT_TRUE(read.has_value()) << shape;
  return read ? read->text(line) : "";
}

std::string shape_error(const std::string& shape) {
  const auto read = LineTemplate::parse(shape);
  EXPECT_FALSE(read.has_value()) << shape;
  return read ? "" : read.error().on_one_line(shape);
}

TEST(LineFieldsTest, ChosenFieldsAreColumnsWithTheirNamesAsHeader) {
  const TailLine line = line_with(R"({"temp": 31.5, "at": {"room": "lab"}})");
  EXPECT_EQ(fields_header(fields("time, from,to,body.temp")), "time\tfrom\tto\tbody.temp\n");
  EXPECT_EQ(row("time, from,to,body.temp", line),
            "2026-01-01T00:00:00.000000000Z\talice\tbob\t31.5\n");
}

TEST(LineFieldsTest, PathsGoIntoJsonAndMessagePack) {
  const TailLine json = line_with(R"({"items": [{"name": "x"}, 2], "a key": null})");
  EXPECT_EQ(row("body.items[0].name,body.items[1],body.items,body.\"a key\",body.none", json),
            "x\t2\t[{\"name\":\"x\"},2]\t\t\n");
  EXPECT_EQ(row("body.n", line_with("\x81\xa1n\x05")), "5\n");
}

TEST(LineFieldsTest, AValueBeforeTheCutOfABodyIsThere) {
  TailLine line = line_with(R"({"temp": 31, "note": "long)");
  line.envelope->cut = true;
  EXPECT_EQ(row("body.temp,body.note", line), "31\t\n");
}

TEST(LineFieldsTest, NothingOfABodyMovesTheColumns) {
  EXPECT_EQ(row("body,id", line_with("a\tb\nc\x1b[2J")), "a\\tb\\nc\\e[2J\t7\n");
}

TEST(LineFieldsTest, JsonHasTheChosenOnesAndNullForWhatIsNotThere) {
  TailLine line = line_with(R"({"temp": 31})");
  line.latency_ns = 1500;
  EXPECT_EQ(fields_json(fields("from,id,latency,body.temp,outcome,rejected"), line),
            R"({"from":"alice","id":"7","latency_ns":1500,"body.temp":31,"outcome":null,)"
            R"("rejected":false})"
            "\n");
  EXPECT_EQ(fields_json(fields("body"), line), "{\"body\":\"{\\\"temp\\\": 31}\"}\n");
}

TEST(LineFieldsTest, ANameThatIsNoneIsToldWithItsPlaceAndWhatExists) {
  const std::string text = error_of_fields("time,frm");
  EXPECT_TRUE(text.starts_with("column 6: there is no field \"frm\"; did you mean from?")) << text;
  EXPECT_NE(text.find("content_type"), std::string::npos);
  EXPECT_NE(text.find("body.KEY"), std::string::npos);
  EXPECT_EQ(error_of_fields("from.x"), "column 6: from has nothing in it: only body has");
  EXPECT_EQ(error_of_fields("time,,to"),
            "column 6: expected a field, such as from, latency or body.temp");
  EXPECT_EQ(error_of_fields("from = alice"),
            "column 8: a field stands alone here: nothing is compared");
  EXPECT_EQ(error_of_fields("body.a,body."),
            "column 13: expected a key, such as temp or \"a key\"");
}

TEST(LineFieldsTest, EveryFieldOfTheFilterLanguageCanBeChosen) {
  std::ifstream page(ZPOST_DOCS_DIR "/filter.md");
  std::string text;
  std::size_t found = 0;
  bool in_table = false;
  while (std::getline(page, text)) {
    if (text.starts_with("## ")) in_table = text == "## Fields";
    if (!in_table || !text.starts_with("| `")) continue;
    const std::string names = text.substr(0, text.find(" | "));
    for (std::size_t at = names.find('`'); at != std::string::npos; at = names.find('`', at)) {
      const std::size_t end = names.find('`', at + 1);
      const std::string name = names.substr(at + 1, end - at - 1);
      EXPECT_TRUE(line_fields(name).has_value()) << name;
      at = end + 1;
      ++found;
    }
  }
  EXPECT_GE(found, 20U);
}

TEST(LineTemplateTest, FieldsStandInBraces) {
  const TailLine line = line_with(R"({"temp": 31})");
  EXPECT_EQ(shown("{from} -> {to} {body.temp}\\n", line), "alice -> bob 31\n");
  EXPECT_EQ(shown("{{{from}}}\\t{body.\"}\"}|", line), "{alice}\t|\n");
}

TEST(LineTemplateTest, WhatIsWrongIsToldWithItsPlace) {
  EXPECT_EQ(shape_error("{from} {"), "column 8: there is no } for it");
  EXPECT_EQ(shape_error("a } b"),
            "column 3: there is no { for it; a brace by itself is written "
            "twice");
  EXPECT_EQ(shape_error("\\x"), "column 1: a backslash stands before n, t or another one");
  EXPECT_TRUE(shape_error("to {frm}").starts_with("column 5: there is no field \"frm\""));
}

}  // namespace
}  // namespace zpost::inspect
