#include "zpost/protocol/control.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost {
namespace {

void write_metadata(MsgpackWriter& writer, const Metadata& metadata) {
  writer.map(metadata.size());
  for (const auto& [key, value] : metadata) writer.str(key).str(value);
}

void write_abilities(MsgpackWriter& writer, const Hello& hello) {
  writer.array(std::size_t{hello.acks} + std::size_t{hello.resume} + std::size_t{hello.pong});
  if (hello.acks) writer.str("acks");
  if (hello.resume) writer.str("resume");
  if (hello.pong) writer.str("pong");
}

void write_will(MsgpackWriter& writer, const Will& will) {
  writer.map(5);
  writer.str("kind").uint(static_cast<std::uint64_t>(will.kind));
  writer.str("to").str(will.to);
  writer.str("content_type").str(will.content_type);
  writer.str("body").bin(will.body);
  writer.str("retain").boolean(will.retain);
}

void write_ranges(MsgpackWriter& writer, const std::vector<LaneRange>& ranges) {
  writer.array(ranges.size());
  for (const LaneRange& range : ranges) writer.array(2).uint(range.first).uint(range.count);
}

}  // namespace

ByteBuffer encode(const Hello& hello) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(11U + (hello.demand ? 1U : 0U) + (hello.backlog > 0 ? 1U : 0U) +
             (hello.will ? 1U : 0U) + (hello.doubts.empty() ? 0U : 1U));
  writer.str("instance").str(hello.instance);
  writer.str("versions").array(hello.versions.size());
  for (const std::uint64_t version : hello.versions) writer.uint(version);
  writer.str("software").str(hello.software);
  writer.str("abilities");
  write_abilities(writer, hello);
  writer.str("window").uint(hello.window_bytes);
  writer.str("frames").uint(hello.window_frames);
  writer.str("run").str(hello.run);
  writer.str("epoch").uint(hello.epoch);
  writer.str("taken").uint(hello.taken);
  writer.str("outcomes").uint(hello.outcomes);
  writer.str("metadata");
  write_metadata(writer, hello.metadata);
  if (hello.demand) writer.str("demand").uint(*hello.demand);
  if (hello.backlog > 0) writer.str("backlog").uint(hello.backlog);
  if (!hello.doubts.empty()) {
    writer.str("doubts");
    write_ranges(writer, hello.doubts);
  }
  if (hello.will) {
    writer.str("will");
    write_will(writer, *hello.will);
  }
  return buffer;
}

ByteBuffer encode(const Welcome& welcome) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(welcome.earlier_taken ? 20 : 19);
  writer.str("version").uint(welcome.version);
  writer.str("broker").str(welcome.broker);
  writer.str("run").str(welcome.run);
  writer.str("epoch").uint(welcome.epoch);
  writer.str("resumed").boolean(welcome.resumed);
  writer.str("first_id").uint(welcome.first_id);
  writer.str("highest_id").uint(welcome.highest_id);
  writer.str("received").uint(welcome.received);
  writer.str("credit").uint(welcome.credit);
  writer.str("pair").uint(welcome.pair);
  writer.str("taken").uint(welcome.taken);
  writer.str("outcomes").uint(welcome.outcomes);
  writer.str("window").uint(welcome.window_bytes);
  writer.str("max_envelope").uint(welcome.max_envelope_bytes);
  writer.str("max_frame").uint(welcome.max_frame_bytes);
  writer.str("heartbeat_ms").uint(welcome.heartbeat_ms);
  writer.str("silence_ms").uint(welcome.silence_ms);
  writer.str("resume_ms").uint(welcome.resume_ms);
  writer.str("time").uint(welcome.time_ns);
  if (welcome.earlier_taken) writer.str("earlier_taken").uint(*welcome.earlier_taken);
  return buffer;
}

ByteBuffer encode(const Refusal& refusal) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(4);
  writer.str("code").uint(static_cast<std::uint64_t>(refusal.code));
  writer.str("name").str(outcome_name(refusal.code));
  writer.str("text").str(refusal.text);
  writer.str("retry").boolean(refusal.retry);
  return buffer;
}

ByteBuffer encode(const Goodbye& goodbye) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(2);
  writer.str("taken").uint(goodbye.taken);
  writer.str("outcomes").uint(goodbye.outcomes);
  return buffer;
}

ByteBuffer encode(const Ack& ack) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  const std::uint32_t size = ack.credit == 0 ? 2 : ack.demand ? 4 : 3;
  writer.array(size).uint(ack.taken).uint(ack.outcomes);
  if (size >= 3) writer.uint(ack.credit);
  if (size >= 4) writer.uint(*ack.demand);
  return buffer;
}

ByteBuffer encode(const Receipt& receipt) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.array(receipt.entries.empty() ? 2 : 3).uint(receipt.credit).uint(receipt.pair);
  if (receipt.entries.empty()) return buffer;
  writer.array(receipt.entries.size());
  for (const ReceiptEntry& entry : receipt.entries) {
    writer.array(3).str(entry.recipient).uint(entry.id).uint(entry.unconfirmed ? 1 : 0);
  }
  return buffer;
}

ByteBuffer encode(const OutcomeNotice& notice) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.array(notice.count ? 4 : 3).uint(static_cast<std::uint64_t>(notice.code));
  writer.str(notice.recipient).str(notice.text);
  if (notice.count) writer.uint(*notice.count);
  return buffer;
}

ByteBuffer encode(const Presence& presence) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.map(5);
  writer.str("event").str(presence.event);
  writer.str("peer").str(presence.peer);
  writer.str("instance").str(presence.instance);
  writer.str("reason").str(presence.reason);
  writer.str("metadata");
  write_metadata(writer, presence.metadata);
  return buffer;
}

ByteBuffer encode(const Watch& watch) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.array(watch.on ? 1 : 2).str(watch.pattern);
  if (!watch.on) writer.boolean(false);
  return buffer;
}

ByteBuffer encode(const Subscribe& subscribe) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  writer.array(3).str(subscribe.pattern).uint(static_cast<std::uint64_t>(subscribe.policy));
  writer.uint((subscribe.excludes_own ? 1U : 0U) | (subscribe.skips_retained ? 2U : 0U));
  return buffer;
}

ByteBuffer encode(const Offer& offer) {
  ByteBuffer buffer;
  MsgpackWriter(buffer).array(2).str(offer.service).uint(offer.capacity);
  return buffer;
}

ByteBuffer encode(const Name& name) {
  ByteBuffer buffer;
  MsgpackWriter(buffer).array(1).str(name.name);
  return buffer;
}

ByteBuffer encode(const Gap& gap) {
  ByteBuffer buffer;
  MsgpackWriter(buffer).array(1).uint(gap.count);
  return buffer;
}

ByteBuffer encode(const Doubt& doubt) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  write_ranges(writer, doubt.ranges);
  return buffer;
}

ByteBuffer encode(const Metadata& metadata) {
  ByteBuffer buffer;
  MsgpackWriter writer(buffer);
  write_metadata(writer, metadata);
  return buffer;
}

}  // namespace zpost
