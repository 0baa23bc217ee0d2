#include "tools/inspect/redactor.h"

#include <gtest/gtest.h>

#include "tools/inspect/shown_envelopes.h"
#include "zpost/protocol/envelope.h"

namespace zpost::inspect {
namespace {

class RedactorTest : public testing::Test {
 protected:
  void rule(const std::string& word) { ASSERT_EQ(add_redaction(word, rules_), ""); }

  void add(std::string_view to, std::string_view body, Kind kind = Kind::kSend,
           std::string_view from = "alice") {
    EnvelopeFields fields;
    fields.kind = kind;
    fields.to = to;
    fields.from = from;
    fields.id = next_id_++;
    fields.meta.content_type = "text/x";
    fields.body = as_bytes(body);
    append_envelope(frame_, fields);
  }

  /// The bodies that may be kept.
  std::vector<std::string> bodies() {
    TapEntry entry;
    entry.shown = Bytes(frame_).first(frame_.size() - cut_);
    changed_ = redactor_.apply(entry, kept_);
    std::vector<std::string> bodies;
    for (const ShownEnvelope& each : shown_envelopes(changed_ ? kept_.shown : entry.shown)) {
      EXPECT_EQ(each.content_type, "text/x");
      bodies.emplace_back(as_text(each.body));
    }
    return bodies;
  }

  using Bodies = std::vector<std::string>;

  Redactions rules_;
  Redactor redactor_{rules_};
  ByteBuffer frame_;
  TapEntry kept_;
  std::size_t cut_ = 0;
  std::uint64_t next_id_ = 1;
  bool changed_ = false;
};

TEST_F(RedactorTest, WithoutARuleNothingIsTouched) {
  add("bob", "secret");
  EXPECT_EQ(bodies(), Bodies{"secret"});
  EXPECT_FALSE(changed_);
}

TEST_F(RedactorTest, BodiesOfASenderOrARecipientAreReplacedAndHeadersStay) {
  rule("from=mal*");
  rule("to=payroll");
  add("bob", "fine");
  add("payroll", "secret");
  add("bob", "secret", Kind::kSend, "mallory");
  EXPECT_EQ(bodies(), (Bodies{"fine", "[redacted]", "[redacted]"}));
  EXPECT_TRUE(changed_);
  EXPECT_EQ(shown_envelopes(kept_.shown)[2].id, 3u);
}

TEST_F(RedactorTest, ATopicIsMatchedByItsSegmentsAndOnlyInPublishes) {
  rule("topic=lab/*/key");
  add("lab/oven/key", "secret", Kind::kPublish);
  add("lab/oven/heat", "fine", Kind::kPublish);
  add("lab", "fine");
  EXPECT_EQ(bodies(), (Bodies{"[redacted]", "fine", "fine"}));
}

TEST_F(RedactorTest, FieldsOfJsonAreReplacedWhereverArraysHideThem) {
  rule("field=users.password");
  rule("field=*.pin");
  add("bob", R"({"users":[{"password":"x","name":"ann"},{"password":{"a":1}}]})");
  add("bob", R"({"card":{"pin":1234},"pin":5})");
  add("bob", R"({"password":"not this one"})");
  EXPECT_EQ(
      bodies(),
      (Bodies{R"({"users":[{"password":"[redacted]","name":"ann"},{"password":"[redacted]"}]})",
              R"({"card":{"pin":"[redacted]"},"pin":5})", R"({"password":"not this one"})"}));
}

TEST_F(RedactorTest, FieldsOfMsgpackAreReplacedAndTheRestStaysAsItWas) {
  rule("field=password");
  ByteBuffer body;
  MsgpackWriter(body).map(2).str("password").str("x").str("blob").bin(as_bytes("\x01\x02"));
  ByteBuffer wanted;
  MsgpackWriter(wanted)
      .map(2)
      .str("password")
      .str("[redacted]")
      .str("blob")
      .bin(as_bytes("\x01\x02"));
  add("bob", as_text(body));
  EXPECT_EQ(bodies(), Bodies{std::string(as_text(wanted))});
}

TEST_F(RedactorTest, ABodyWhoseFieldsNobodyCanReadIsReplacedWhole) {
  rule("field=password");
  add("bob", R"({"password":"x"} and more)");
  add("bob", std::string(100, '[') + std::string(100, ']'));
  add("bob", "");
  EXPECT_EQ(bodies(), (Bodies{"[redacted]", "[redacted]", ""}));
}

TEST_F(RedactorTest, AnEnvelopeCutInItsBodyIsReplacedWholeIfItMustBeDecoded) {
  rule("field=password");
  add("bob", R"({"fine":1})");
  add("bob", R"({"password":"a long secret"})");
  cut_ = 5;
  EXPECT_EQ(bodies(), (Bodies{R"({"fine":1})", "[redacted]"}));
}

TEST_F(RedactorTest, AnEnvelopeCutBeforeItsBodyIsLeftOut) {
  rule("from=nobody");
  add("bob", "fine");
  add("bob", "x");
  cut_ = 15;
  EXPECT_EQ(bodies(), Bodies{"fine"});
}

TEST_F(RedactorTest, WrongRulesAreSaid) {
  for (const char* word : {"fish=x", "from=", "from=a*b", "topic=a//b", "field=a..b", "field"}) {
    EXPECT_NE(add_redaction(word, rules_), "") << word;
  }
  EXPECT_TRUE(rules_.empty());
}

}  // namespace
}  // namespace zpost::inspect
