#include "peer/src/who.h"

#include <string>

#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/msgpack_writer.h"

namespace zpost::peer {
namespace {

constexpr std::size_t kMaxPeers = 1'000'000;
constexpr std::size_t kMaxKeys = 1024;
constexpr std::size_t kMaxOffers = 65'536;

bool read_text(MsgpackReader& reader, std::string& text) {
  std::string_view view;
  if (!reader.read_str(view)) return false;
  text = view;
  return true;
}

bool read_metadata(MsgpackReader& reader, Metadata& metadata) {
  std::size_t count = 0;
  if (!reader.read_map(count, kMaxKeys)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::string key;
    std::string value;
    if (!read_text(reader, key) || !read_text(reader, value)) return false;
    metadata[key] = value;
  }
  return true;
}

bool read_offers(MsgpackReader& reader, std::vector<std::string>& offers) {
  std::size_t count = 0;
  if (!reader.read_array(count, kMaxOffers)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_text(reader, offers.emplace_back())) return false;
  }
  return true;
}

bool read_value(MsgpackReader& reader, std::string_view key, Peer::PeerInfo& peer) {
  if (key == "name") return read_text(reader, peer.name);
  if (key == "instance") return read_text(reader, peer.instance);
  if (key == "software") return read_text(reader, peer.software);
  if (key == "state") return read_text(reader, peer.state);
  if (key == "since") return reader.read_uint(peer.since_ns);
  if (key == "queued") return reader.read_uint(peer.queued);
  if (key == "queued_bytes") return reader.read_uint(peer.queued_bytes);
  if (key == "unacked") return reader.read_uint(peer.unacked);
  if (key == "oldest") return reader.read_uint(peer.oldest_ns);
  if (key == "sent") return reader.read_uint(peer.sent);
  if (key == "received") return reader.read_uint(peer.received);
  if (key == "acks") return reader.read_bool(peer.acks);
  if (key == "last_seen") return reader.read_uint(peer.last_seen_ns);
  if (key == "address") return read_text(reader, peer.address);
  if (key == "sent_rate") return reader.read_uint(peer.sent_rate);
  if (key == "received_rate") return reader.read_uint(peer.received_rate);
  if (key == "subscriptions") return reader.read_uint(peer.subscriptions);
  if (key == "offers") return read_offers(reader, peer.offers);
  if (key == "metadata") return read_metadata(reader, peer.metadata);
  return reader.skip();
}

bool read_peer(MsgpackReader& reader, Peer::PeerInfo& peer) {
  std::size_t count = 0;
  if (!reader.read_map(count, kMaxKeys)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    std::string_view key;
    if (!reader.read_str(key) || !read_value(reader, key, peer)) return false;
  }
  return true;
}

bool read_peers(MsgpackReader& reader, std::vector<Peer::PeerInfo>& peers) {
  std::size_t count = 0;
  if (!reader.read_array(count, kMaxPeers)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    if (!read_peer(reader, peers.emplace_back())) return false;
  }
  return true;
}

}  // namespace

ByteBuffer who_question(std::uint64_t start) {
  ByteBuffer question(32);
  std::byte* out = put_map_tag(question.data(), start == 0 ? 1 : 2);
  out = put_str(put_str(out, "op"), "who");
  if (start != 0) out = put_uint(put_str(out, "start"), start);
  question.resize(static_cast<std::size_t>(out - question.data()));
  return question;
}

Answer<std::uint64_t> read_who(Bytes body, std::vector<Peer::PeerInfo>& peers) {
  std::uint64_t next = 0;
  MsgpackReader reader(body);
  std::size_t count = 0;
  bool good = reader.read_map(count, kMaxKeys);
  for (std::size_t i = 0; good && i < count; ++i) {
    std::string_view key;
    good = reader.read_str(key);
    if (good && key == "peers") {
      good = read_peers(reader, peers);
    } else if (good && key == "next") {
      good = reader.read_uint(next);
    } else if (good) {
      good = reader.skip();
    }
  }
  if (good) return next;
  return Failure{Fault::kFailed, Outcome::kMalformed,
                 "the broker's answer to who: " + std::string(read_error_name(reader.error()))};
}

}  // namespace zpost::peer
