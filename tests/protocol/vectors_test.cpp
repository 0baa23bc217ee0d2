// Every vector of protocol/vectors, decoded, and encoded where it is in the form writers choose.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/protocol/bytes.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"
#include "zpost/protocol/names.h"

namespace zpost {
namespace {

using nlohmann::json;
using test::operator+;
using test::hex;
using test::unhex;

json load(const std::string& name) {
  std::ifstream file(std::string(ZPOST_PROTOCOL_DIR "/vectors/") + name);
  EXPECT_TRUE(file) << name;
  return json::parse(file);
}

json load(const std::string& name, const std::string& group) {
  return load(name).at(group);
}

ByteBuffer bytes_of(const json& vector) {
  return unhex(vector.at("hex").get<std::string>());
}

/// Names the vector in every failure below.
#define FOR_VECTOR(vector) SCOPED_TRACE((vector).at("name").get<std::string>())

// ---- Envelopes ----

json meta_as_json(const Meta& meta) {
  json fields = json::object();
  if (meta.wanted != 0) fields["wanted"] = meta.wanted;
  if (meta.durable) fields["durable"] = true;
  if (meta.deadline_ns != 0) fields["deadline"] = meta.deadline_ns;
  if (meta.in_reply_to) fields["in_reply_to"] = *meta.in_reply_to;
  if (!meta.content_type.empty()) fields["content_type"] = meta.content_type;
  if (meta.sent_ns != 0) fields["sent"] = meta.sent_ns;
  if (!meta.trace.empty()) fields["trace"] = meta.trace;
  if (meta.again != 0) fields["again"] = meta.again;
  if (meta.retained) fields["retained"] = true;
  if (meta.rejected) fields["rejected"] = true;
  if (meta.idempotent) fields["idempotent"] = true;
  if (meta.retain) fields["retain"] = true;
  if (meta.more) fields["more"] = true;
  if (meta.will) fields["will"] = true;
  return fields;
}

json as_json(const EnvelopeView& view) {
  const Result<Meta> meta = read_meta(view);
  EXPECT_TRUE(meta);
  return {{"kind", view.kind_number},    {"to", view.to},
          {"from", view.from},           {"id", view.id},
          {"meta", meta_as_json(*meta)}, {"body", hex(view.body)},
          {"text", view.body_is_text}};
}

ByteBuffer written_again(const EnvelopeView& view) {
  return test::encoded({.kind = view.kind(),
                        .to = view.to,
                        .from = view.from,
                        .id = view.id,
                        .meta = *read_meta(view),
                        .body = view.body,
                        .body_is_text = view.body_is_text});
}

TEST(VectorsTest, ValidEnvelopesHaveTheirFields) {
  for (const json& vector : load("envelopes.json", "valid")) {
    FOR_VECTOR(vector);
    const ByteBuffer bytes = bytes_of(vector);
    FrameReader reader(bytes);
    EnvelopeView view;
    ASSERT_TRUE(reader.next(view)) << reader.error_text();
    EXPECT_EQ(as_json(view), vector.at("fields"));
    EXPECT_TRUE(check_envelope(view));
    EXPECT_FALSE(reader.next(view));
    EXPECT_FALSE(reader.failed());
    if (vector.at("canonical").get<bool>()) {
      EXPECT_EQ(hex(written_again(view)), hex(bytes));
    }
  }
}

TEST(VectorsTest, WrongEnvelopesAreReadAndFoundWrong) {
  for (const json& vector : load("envelopes.json", "wrong")) {
    FOR_VECTOR(vector);
    const ByteBuffer bytes = bytes_of(vector);
    FrameReader reader(bytes);
    EnvelopeView view;
    ASSERT_TRUE(reader.next(view)) << reader.error_text();
    const Result<void> check = check_envelope(view);
    ASSERT_FALSE(check);
    EXPECT_EQ(check.error().text, vector.at("error"));
    EXPECT_EQ(outcome_name(check.error().code), vector.at("code"));
  }
}

void expect_failure(const FrameReader& reader, const json& vector) {
  ASSERT_TRUE(reader.failed());
  const auto offset = vector.at("offset").get<std::size_t>();
  EXPECT_EQ(reader.error_offset(), offset);
  EXPECT_EQ(reader.error_text(),
            vector.at("error").get<std::string>() + " at byte " + std::to_string(offset));
}

TEST(VectorsTest, InvalidEnvelopesFailAtTheirByte) {
  for (const json& vector : load("envelopes.json", "invalid")) {
    FOR_VECTOR(vector);
    const ByteBuffer bytes = bytes_of(vector);
    FrameReader reader(bytes);
    EnvelopeView view;
    EXPECT_FALSE(reader.next(view));
    expect_failure(reader, vector);
  }
}

TEST(VectorsTest, InvalidEnvelopesFailTheSameWayWhenMoreFollows) {
  for (const json& vector : load("envelopes.json", "invalid")) {
    FOR_VECTOR(vector);
    const std::string error = vector.at("error");
    if (error.ends_with("truncated")) continue;  // What follows would complete it.
    const ByteBuffer bytes = bytes_of(vector) + test::repeated("c1", 200);
    FrameReader reader(bytes);
    EnvelopeView view;
    EXPECT_FALSE(reader.next(view));
    expect_failure(reader, vector);
  }
}

TEST(VectorsTest, FramesHoldTheirEnvelopesAndThenTheirError) {
  for (const json& vector : load("frames.json")) {
    FOR_VECTOR(vector);
    const ByteBuffer bytes = bytes_of(vector);
    FrameReader reader(bytes);
    EnvelopeView view;
    for (const json& envelope : vector.at("envelopes")) {
      ASSERT_TRUE(reader.next(view)) << reader.error_text();
      EXPECT_EQ(hex(view.bytes), envelope);
    }
    EXPECT_FALSE(reader.next(view));
    EXPECT_EQ(reader.failed(), vector.contains("error"));
    if (vector.contains("error")) expect_failure(reader, vector);
  }
}

// ---- Control bodies, as the vectors describe them ----

json as_json(const Hello& hello) {
  json abilities = json::array();
  if (hello.acks) abilities.push_back("acks");
  if (hello.resume) abilities.push_back("resume");
  if (hello.pong) abilities.push_back("pong");
  json fields = {{"instance", hello.instance},
                 {"versions", hello.versions},
                 {"software", hello.software},
                 {"abilities", abilities},
                 {"window", hello.window_bytes},
                 {"frames", hello.window_frames},
                 {"run", hello.run},
                 {"epoch", hello.epoch},
                 {"taken", hello.taken},
                 {"outcomes", hello.outcomes},
                 {"metadata", json(hello.metadata)}};
  if (hello.demand) fields["demand"] = *hello.demand;
  if (hello.backlog > 0) fields["backlog"] = hello.backlog;
  return fields;
}

json as_json(const Welcome& welcome) {
  json fields = {{"version", welcome.version},
                 {"broker", welcome.broker},
                 {"run", welcome.run},
                 {"epoch", welcome.epoch},
                 {"resumed", welcome.resumed},
                 {"first_id", welcome.first_id},
                 {"highest_id", welcome.highest_id},
                 {"received", welcome.received},
                 {"credit", welcome.credit},
                 {"pair", welcome.pair},
                 {"taken", welcome.taken},
                 {"outcomes", welcome.outcomes},
                 {"window", welcome.window_bytes},
                 {"max_envelope", welcome.max_envelope_bytes},
                 {"max_frame", welcome.max_frame_bytes},
                 {"heartbeat_ms", welcome.heartbeat_ms},
                 {"silence_ms", welcome.silence_ms},
                 {"resume_ms", welcome.resume_ms},
                 {"time", welcome.time_ns}};
  if (welcome.earlier_taken) fields["earlier_taken"] = *welcome.earlier_taken;
  return fields;
}

json as_json(const Refusal& refusal) {
  json fields = {
      {"code", static_cast<int>(refusal.code)}, {"text", refusal.text}, {"retry", refusal.retry}};
  if (outcome_name(refusal.code) != "unknown") fields["name"] = outcome_name(refusal.code);
  return fields;
}

json as_json(const Goodbye& goodbye) {
  return {{"taken", goodbye.taken}, {"outcomes", goodbye.outcomes}};
}

json as_json(const Ack& ack) {
  json fields = {{"taken", ack.taken}, {"outcomes", ack.outcomes}, {"credit", ack.credit}};
  if (ack.demand) fields["demand"] = *ack.demand;
  return fields;
}

json as_json(const Receipt& receipt) {
  json entries = json::array();
  for (const ReceiptEntry& entry : receipt.entries) {
    entries.push_back({entry.recipient, entry.id, entry.unconfirmed ? 1 : 0});
  }
  return {{"credit", receipt.credit}, {"pair", receipt.pair}, {"entries", entries}};
}

json as_json(const OutcomeNotice& notice) {
  return {{"code", static_cast<int>(notice.code)},
          {"recipient", notice.recipient},
          {"text", notice.text}};
}

json as_json(const Presence& presence) {
  return {{"event", presence.event},
          {"peer", presence.peer},
          {"instance", presence.instance},
          {"reason", presence.reason},
          {"metadata", json(presence.metadata)}};
}

json as_json(const Watch& watch) {
  return {{"pattern", watch.pattern}, {"on", watch.on}};
}

/// What a decoder makes of a body, its kind forgotten.
struct Decoded {
  json fields;
  ByteBuffer encoded_again;
  std::string error;
};

template <typename T>
std::function<Decoded(Bytes)> decoder(Result<T> (*decode)(Bytes)) {
  return [decode](Bytes body) -> Decoded {
    const Result<T> result = decode(body);
    if (!result) {
      EXPECT_EQ(result.error().code, Outcome::kMalformed);
      return {{}, {}, result.error().text};
    }
    return {as_json(*result), encode(*result), ""};
  };
}

const std::map<std::string, std::function<Decoded(Bytes)>>& decoders() {
  static const std::map<std::string, std::function<Decoded(Bytes)>> by_name = {
      {"hello", decoder(decode_hello)},       {"welcome", decoder(decode_welcome)},
      {"refused", decoder(decode_refusal)},   {"goodbye", decoder(decode_goodbye)},
      {"ack", decoder(decode_ack)},           {"receipt", decoder(decode_receipt)},
      {"credit", decoder(decode_receipt)},    {"outcome", decoder(decode_outcome)},
      {"presence", decoder(decode_presence)}, {"watch", decoder(decode_watch)}};
  return by_name;
}

TEST(VectorsTest, ValidBodiesHaveTheirFields) {
  for (const json& vector : load("control.json", "valid")) {
    FOR_VECTOR(vector);
    const ByteBuffer body = bytes_of(vector);
    const Decoded decoded = decoders().at(vector.at("body"))(body);
    EXPECT_EQ(decoded.error, "");
    EXPECT_EQ(decoded.fields, vector.at("fields"));
    if (vector.at("canonical").get<bool>()) {
      EXPECT_EQ(hex(decoded.encoded_again), hex(body));
    }
  }
}

TEST(VectorsTest, InvalidBodiesAreRefusedByName) {
  for (const json& vector : load("control.json", "invalid")) {
    FOR_VECTOR(vector);
    const ByteBuffer body = bytes_of(vector);
    EXPECT_EQ(decoders().at(vector.at("body"))(body).error, vector.at("error"));
  }
}

// ---- The exchange ----

void expect_envelope(const EnvelopeView& view, const json& expected) {
  EXPECT_EQ(kind_name(view.kind()), expected.at("kind"));
  EXPECT_EQ(view.to, expected.at("to"));
  EXPECT_EQ(view.from, expected.at("from"));
  EXPECT_EQ(view.id, expected.at("id"));
  EXPECT_FALSE(view.has_meta());
  EXPECT_EQ(hex(view.body), expected.at("body"));
  EXPECT_EQ(hex(written_again(view)), hex(view.bytes));
  if (expected.contains("text")) {
    EXPECT_EQ(as_text(view.body), expected.at("text"));
    return;
  }
  const Decoded decoded = decoders().at(expected.at("kind"))(view.body);
  EXPECT_EQ(decoded.error, "");
  EXPECT_EQ(hex(decoded.encoded_again), hex(view.body));
  const json& value = expected.at("value");
  if (value.is_object()) {
    EXPECT_EQ(decoded.fields, value);
  }
}

TEST(VectorsTest, TheExchangeIsWhatTheSourcesReadAndWrite) {
  const json exchange = load("exchange.json");
  for (const json& identity : exchange.at("identities")) {
    EXPECT_TRUE(name_of_identity(identity.get<std::string>()));
  }
  for (const json& step : exchange.at("steps")) {
    SCOPED_TRACE(step.at("description").get<std::string>());
    const ByteBuffer frame = bytes_of(step);
    FrameReader reader(frame);
    EnvelopeView view;
    for (const json& envelope : step.at("envelopes")) {
      ASSERT_TRUE(reader.next(view)) << reader.error_text();
      expect_envelope(view, envelope);
    }
    EXPECT_FALSE(reader.next(view));
    EXPECT_FALSE(reader.failed());
  }
}

// ---- Names ----

void expect_each(const json& texts, bool (*claim)(std::string_view), bool expected) {
  for (const json& text : texts) EXPECT_EQ(claim(text.get<std::string>()), expected) << text;
}

TEST(VectorsTest, NamesPatternsAndIdentitiesAreToldApart) {
  const json vectors = load("names.json");
  expect_each(vectors.at("names").at("valid"), is_name, true);
  expect_each(vectors.at("names").at("invalid"), is_name, false);
  expect_each(vectors.at("patterns").at("valid"), is_name_pattern, true);
  expect_each(vectors.at("patterns").at("invalid"), is_name_pattern, false);
  for (const auto& [identity, name] : vectors.at("identities").at("valid").items()) {
    EXPECT_EQ(name_of_identity(identity), name.get<std::string>());
  }
  for (const json& identity : vectors.at("identities").at("invalid")) {
    EXPECT_FALSE(name_of_identity(identity.get<std::string>())) << identity;
  }
}

}  // namespace
}  // namespace zpost
