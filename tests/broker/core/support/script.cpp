#include "tests/broker/core/support/script.h"

#include <fmt/format.h>

#include <functional>
#include <sstream>
#include <stdexcept>

#include "tests/broker/core/support/describe.h"

namespace zpost::core::test {

namespace {

constexpr std::uint64_t kIdStep = 1000;
// Enough for a receipt that waits for company.
constexpr std::int64_t kBetweenBlocks = 2 * kMillisecond;

using Words = std::vector<std::string>;

/// Words between spaces; quotes and braces keep spaces together.
Words split(std::string_view line) {
  Words words;
  std::string word;
  bool quoted = false;
  bool braced = false;
  bool any = false;
  for (const char c : line) {
    if (c == '{' || c == '}') braced = c == '{';
    if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted && !braced) {
      if (any) words.push_back(word);
      word.clear();
      any = false;
    } else {
      word += c;
      any = true;
    }
  }
  if (any) words.push_back(word);
  return words;
}

std::uint64_t number(const std::string& text) {
  std::size_t used = 0;
  const std::uint64_t value = std::stoull(text, &used);
  if (used != text.size()) throw std::invalid_argument("no number: " + text);
  return value;
}

std::int64_t duration(const std::string& text) {
  std::size_t used = 0;
  const std::int64_t value = std::stoll(text, &used);
  const std::string unit = text.substr(used);
  if (unit == "s") return value * kSecond;
  if (unit == "ms") return value * kMillisecond;
  throw std::invalid_argument("no time: " + text);
}

/// Options of an item: `key=value`, or `key` alone.
class Flags {
 public:
  Flags(const Words& words, std::size_t from) {
    for (std::size_t i = from; i < words.size(); ++i) {
      const std::size_t equals = words[i].find('=');
      const std::string value =
          equals == std::string::npos ? std::string() : words[i].substr(equals + 1);
      values_[words[i].substr(0, equals)] = value;
    }
  }

  [[nodiscard]] bool has(const std::string& key) const { return values_.count(key) > 0; }

  [[nodiscard]] std::string text(const std::string& key, std::string fallback) const {
    const auto at = values_.find(key);
    return at == values_.end() ? fallback : at->second;
  }

  [[nodiscard]] std::uint64_t uint(const std::string& key, std::uint64_t fallback) const {
    const auto at = values_.find(key);
    return at == values_.end() ? fallback : number(at->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

/// Instances are random: no two peers share one. Alice's first is a1a1a1…
std::string instance_of(const std::string& name, std::uint64_t number) {
  const bool hex = std::string_view("abcdef").find(name.front()) != std::string_view::npos;
  const std::string two = fmt::format("{}{:x}", hex ? name.front() : '0', number % 16);
  std::string instance;
  while (instance.size() < 32) instance += two;
  return instance;
}

std::string unhex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

/// A body may itself be a question to the broker: `{op=who name=bob}`.
std::string body_of(const std::string& text) {
  if (!text.starts_with('{')) return text;
  ByteBuffer body;
  MsgpackWriter writer(body);
  const Words words = split(std::string_view(text).substr(1, text.size() - 2));
  writer.map(words.size());
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    writer.str(word.substr(0, equals));
    const std::string value = word.substr(equals + 1);
    const bool digits = value.find_first_not_of("0123456789") == std::string::npos;
    digits ? writer.uint(number(value)) : writer.str(value);
  }
  return std::string(as_text(body));
}

std::string count_failures(const Accounting& accounting) {
  std::string text;
  for (std::size_t code = 0; code < accounting.failed_by.size(); ++code) {
    if (accounting.failed_by[code] == 0) continue;
    text +=
        fmt::format(" {}={}", outcome_name(static_cast<Outcome>(code)), accounting.failed_by[code]);
  }
  return text;
}

}  // namespace

std::string Script::run(std::string_view text) {
  limits({"limits"});
  std::string result;
  std::istringstream input{std::string(text)};
  std::string line;
  bool skipping = false;  // The old output.
  while (std::getline(input, line)) {
    if (skipping && !line.empty()) continue;
    skipping = false;
    result += line + '\n';
    if (line.empty() || line.front() == '#') continue;
    if (line != "----") {
      command(split(line));
      continue;
    }
    lines_.clear();
    output();
    for (const std::string& said : lines_) result += said + '\n';
    if (lines_.empty()) result += "(silence)\n";
    skipping = true;
  }
  return result;
}

void Script::command(const Words& words) {
  if (world_command(words)) return;
  Actor& who = actor(words.at(0));
  if (connection_command(who, words)) return;
  items(who, words);
}

bool Script::world_command(const Words& words) {
  const std::string& verb = words.at(0);
  if (verb == "limits") {
    limits(words);
  } else if (verb == "wait") {
    world_->settle();
    world_->advance(duration(words.at(1)));
  } else if (verb == "memory") {
    world_->router().set_process_memory(number(words.at(1)));
  } else if (verb == "drain") {
    world_->drain();
  } else if (verb == "farewell") {
    world_->farewell();
  } else if (verb == "accounting") {
    const Accounting& a = world_->router().accounting();
    lines_.push_back(fmt::format(
        "received={} copies={} delivered={} unconfirmed={} held={} failed={}{}", a.received,
        a.copies, a.delivered, a.unconfirmed, a.held, a.failed, count_failures(a)));
  } else {
    return false;
  }
  return true;
}

void Script::limits(const Words& words) {
  Limits limits;
  const Flags flags(words, 1);
  const auto set = [&](const char* key, std::uint64_t& field) { field = flags.uint(key, field); };
  const auto set_time = [&](const char* key, std::int64_t& field) {
    if (flags.has(key)) field = duration(flags.text(key, ""));
  };
  set("max_envelope", limits.max_envelope);
  set("memory", limits.memory);
  set("credit_initial", limits.credit_initial);
  set("credit_max", limits.credit_max);
  set("pair_share", limits.pair_share);
  set("window", limits.window);
  set("window_frames", limits.window_frames);
  set("queue", limits.queue);
  set("peers", limits.peers);
  set("violations", limits.violations);
  set("watches", limits.watches);
  set("subscriptions", limits.subscriptions);
  set("all_subscriptions", limits.all_subscriptions);
  set("topic_queue", limits.topic_queue);
  set("retained", limits.retained);
  set("offers", limits.offers);
  set("all_offers", limits.all_offers);
  set("rate", limits.rate);
  set("calls", limits.calls);
  set("all_calls", limits.all_calls);
  set("service_queue", limits.service_queue);
  set_time("resume", limits.resume_ns);
  set_time("credit_idle", limits.credit_idle_ns);
  limits.newest_wins = flags.has("newest_wins");
  BrokerIdentity identity = World::default_identity();
  identity.id_gap = 1;  // Ids that are easy to read.
  world_ = std::make_unique<World>(limits, identity);
  world_->set_wall_runs(false);
  actors_.clear();
}

bool Script::connection_command(Actor& actor, const Words& words) {
  const std::string& verb = words.at(1);
  FakePeer& peer = *actor.peer;
  if (verb == "connect") {
    peer.connect();
  } else if (verb == "resume") {
    if (peer.connected()) peer.lose();
    peer.connect();
    peer.hello();
  } else if (verb == "lost") {
    peer.lose(words.size() > 2 && words[2] == "late");
  } else if (verb == "mute") {
    world_->mute(peer.connection());
  } else if (verb.starts_with("room=")) {
    world_->set_room(peer.connection(), number(verb.substr(5)));
  } else if (verb == "paused" || verb == "reads") {
    actor.paused = verb == "paused";
  } else if (verb == "handover") {
    world_->hand_over(peer.connection());
  } else if (verb == "forgotten") {
    world_->forget(peer.connection());
  } else if (verb == "multipart") {
    world_->send_multipart(peer.connection());
  } else {
    return false;
  }
  return true;
}

/// One frame: items between `+`.
void Script::items(Actor& actor, const Words& words) {
  Words one;
  for (std::size_t i = 1; i <= words.size(); ++i) {
    if (i < words.size() && words[i] != "+") {
      one.push_back(words[i]);
      continue;
    }
    item(*actor.peer, one);
    one.clear();
  }
  actor.peer->say();
}

void Script::item(FakePeer& peer, const Words& words) {
  const std::string& verb = words.at(0);
  const auto kind = kind_from_name(verb);
  if (kind && is_payload(*kind)) return payload(peer, words);
  if (verb == "hello") return hello(peer, words);
  if (verb == "junk") return peer.write_bytes(unhex(words.at(1)));
  if (verb == "cut") return peer.cut_draft(number(words.at(1)));
  if (verb == "kind") {
    return peer.write_raw({.kind = static_cast<Kind>(number(words.at(1))), .from = peer.name()});
  }
  control(peer, words);
}

void Script::control(FakePeer& peer, const Words& words) {
  const std::string& verb = words.at(0);
  if (verb == "ack" && words.size() == 1) {
    peer.take();
    peer.write_ack();
  } else if (verb == "ack") {
    Ack ack{number(words.at(1)), number(words.at(2)), 0};
    if (words.size() > 3) ack.credit = number(words[3]);
    if (words.size() > 4) ack.demand = number(words[4]);
    peer.write_ack(ack);
  } else if (verb == "takes") {
    peer.take(number(words.at(1)));
    peer.write_ack();
  } else if (verb == "watch") {
    peer.write_watch(words.at(1), words.size() < 3);
  } else if (verb == "subscribe") {
    const Flags flags(words, 2);
    Subscribe wanted{words.at(1)};
    if (flags.has("block")) wanted.policy = SlowPolicy::kBlock;
    if (flags.has("disconnect")) wanted.policy = SlowPolicy::kDisconnect;
    wanted.excludes_own = flags.has("not-own");
    wanted.skips_retained = flags.has("no-retained");
    peer.write_interest(Kind::kSubscribe, encode(wanted), flags.has("answer"));
  } else if (verb == "unsubscribe") {
    peer.write_interest(Kind::kUnsubscribe, encode(Name{words.at(1)}), false);
  } else if (verb == "offer") {
    const Flags flags(words, 2);
    const Offer offer{words.at(1), flags.uint("capacity", 1)};
    peer.write_interest(Kind::kOffer, encode(offer), flags.has("answer"));
  } else if (verb == "withdraw") {
    peer.write_interest(Kind::kWithdraw, encode(Name{words.at(1)}), false);
  } else if (verb == "describe") {
    peer.write_interest(Kind::kDescribe, encode(Metadata{{"display", words.at(1)}}), false);
  } else if (verb == "cancel") {
    peer.write_raw({.kind = Kind::kCancel, .from = peer.name(), .id = number(words.at(1))});
  } else if (verb == "ping") {
    peer.write_raw({.kind = Kind::kPing, .from = peer.name(), .body = as_bytes(words.at(1))});
  } else if (verb == "pong") {
    peer.write_raw({.kind = Kind::kPong, .from = peer.name()});
  } else if (verb == "goodbye") {
    peer.write_goodbye({peer.taken(), peer.outcomes()});
    peer.forget_session();
  } else {
    throw std::invalid_argument("no such command: " + verb);
  }
}

void Script::hello(FakePeer& peer, const Words& words) {
  const Flags flags(words, 1);
  FakePeer::Options options = peer.options();
  const bool simple = flags.has("simple");
  options.acks = options.acks && !simple;
  options.resume = options.resume && !simple && !flags.has("no-resume");
  options.pong = options.pong && !simple && !flags.has("no-pong");
  options.window = flags.uint("window", options.window);
  options.frames = flags.uint("frames", options.frames);
  if (flags.has("demand")) options.demand = flags.uint("demand", 0);
  if (flags.has("display")) options.metadata["display"] = flags.text("display", "");
  peer.set_options(options);
  if (!peer.connected()) peer.connect();
  peer.write_hello();
  // Ids that are easy to read: a thousand for each peer.
  world_->settle();
  world_->set_wall(kIdStep * ++hellos_);
}

void Script::payload(FakePeer& peer, const Words& words) {
  const Flags flags(words, 3);
  const Kind kind = kind_from_name(words.at(0)).value();
  Meta meta;
  meta.durable = flags.has("durable");
  if (flags.has("deadline"))
    meta.deadline_ns = world_->clock() + flags.uint("deadline", 0) * kMillisecond;
  meta.wanted =
      (flags.has("counted") ? kWantCount : 0) | (flags.has("somebody") ? kWantSubscriber : 0);
  meta.retain = flags.has("retain");
  meta.idempotent = flags.has("idempotent");
  meta.more = flags.has("more");
  if (flags.has("to")) meta.in_reply_to = flags.uint("to", 0);
  const std::string to = words.at(1) == "the-broker" ? "" : words.at(1);
  const std::string body =
      flags.has("size") ? std::string(flags.uint("size", 0), 'x') : body_of(words.at(2));
  if (flags.has("from") || flags.has("id")) {
    const std::string from = flags.text("from", peer.name());
    return peer.write_raw({.kind = kind,
                           .to = to,
                           .from = from,
                           .id = flags.uint("id", peer.last_id() + 1),
                           .meta = meta,
                           .body = as_bytes(body)});
  }
  for (std::uint64_t i = flags.uint("x", 1); i > 0; --i) peer.write(to, body, kind, meta);
}

void Script::output() {
  world_->settle();
  world_->advance(kBetweenBlocks);
  for (const std::string& line : world_->take_log()) lines_.push_back("  (" + line + ")");
  for (auto& [key, actor] : actors_) {
    if (actor.paused) continue;
    for (const std::string& frame : actor.peer->read(World::kNoLimit, false)) {
      std::string indent = key + " <- ";
      for (const std::string& line : describe(frame)) {
        lines_.push_back(indent + line);
        indent = std::string(key.size(), ' ') + "  & ";
      }
    }
  }
}

/// NAME, or NAME/N for its instance N.
Script::Actor& Script::actor(const std::string& key) {
  Actor& actor = actors_[key];
  if (actor.peer == nullptr) {
    const std::size_t slash = key.find('/');
    const std::string name = key.substr(0, slash);
    const std::uint64_t instance = slash == std::string::npos ? 1 : number(key.substr(slash + 1));
    actor.peer = std::make_unique<FakePeer>(
        *world_,
        FakePeer::Options{.name = name, .instance = instance_of(name, instance), .honest = false});
  }
  return actor;
}

}  // namespace zpost::core::test
