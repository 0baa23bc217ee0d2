#include "broker/tap/desk.h"

#include <type_traits>
#include <utility>

namespace zpost::tap {

// ---- Mail
// ----------------------------------------------------------------------------------------

void TapMail::tell(Command command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  has_commands_.store(true, std::memory_order_release);
}

std::vector<Command> TapMail::take_commands() {
  if (!has_commands_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  has_commands_.store(false, std::memory_order_relaxed);
  return std::exchange(commands_, {});
}

void TapMail::put(OutBody body) {
  const std::lock_guard lock(mutex_);
  bodies_.push_back(std::move(body));
  has_bodies_.store(true, std::memory_order_release);
}

std::vector<OutBody> TapMail::take_bodies() {
  if (!has_bodies_.load(std::memory_order_acquire)) return {};
  const std::lock_guard lock(mutex_);
  has_bodies_.store(false, std::memory_order_relaxed);
  return std::exchange(bodies_, {});
}

// ---- The desk
// ----------------------------------------------------------------------------------------

Desk::Done Desk::turn(std::uint64_t now_ns) {
  for (Command& command : mail_.take_commands()) commands_.push_back(std::move(command));
  Done done;
  done.something = take_notes();
  serve(now_ns, done);
  recorded_bytes_.store(recorder_.bytes(), std::memory_order_relaxed);
  recorded_.store(recorder_.records(), std::memory_order_relaxed);
  oldest_ns_.store(recorder_.oldest_ns(), std::memory_order_relaxed);
  return done;
}

/// Those that come before the next note: who opens the tap is shown exactly what comes after.
bool Desk::obey_due() {
  bool any = false;
  for (; !commands_.empty() && ring_.read() >= commands_.front().after; any = true) {
    std::visit([this](auto& order) { obey(order); }, commands_.front().order);
    commands_.pop_front();
  }
  return any;
}

void Desk::obey(OpenTap& order) {
  const std::size_t most = order.filter.each ? Listener::kMaxStagedEach : Listener::kMaxStaged;
  listeners_.insert_or_assign(
      order.session,
      Stream<Listener>{Listener(std::move(order.filter), std::move(order.program), most),
                       order.ticket});
}

void Desk::obey(OpenRecall& order) {
  recalls_.insert_or_assign(order.session, Stream<Recall>{Recall(std::move(order.wish), recorder_,
                                                                 std::move(order.program)),
                                                          order.ticket});
}

void Desk::obey(CloseTap& order) {
  listeners_.erase(order.session);
  recalls_.erase(order.session);
}

void Desk::obey(BodySent& order) {
  order.channel == Channel::kTap ? note_sent(listeners_, order) : note_sent(recalls_, order);
}

template <typename Streams>
void Desk::note_sent(Streams& streams, const BodySent& order) {
  const auto found = streams.find(order.session);
  if (found == streams.end() || found->second.ticket != order.ticket) return;
  --found->second.under_way;
}

bool Desk::take_notes() {
  bool any = obey_due();
  NoteRing::Entry entry;
  for (int i = 0; i < kNotesAtOnce && ring_.front(entry); ++i) {
    take(entry);
    ring_.pop();
    any = true;
    if (!commands_.empty()) (void)obey_due();
  }
  return any;
}

void Desk::take(const NoteRing::Entry& entry) {
  const TapRecord& record = entry.record;
  if (entry.type == NoteRing::Type::kName) {
    if (record.from >= names_.size()) names_.resize(record.from + 1);
    Name& name = names_[record.from];
    name.text = as_text(entry.extra);
    ++name.version;
    return;
  }
  if (record.missed > 0) {
    TapRecord gap;
    gap.event = TapEvent::kMissed;
    gap.time_ns = record.time_ns;
    gap.missed = record.missed;
    recorder_.add(gap, {}, {});
    for (auto& [session, listener] : listeners_) listener.source.lose(record.missed);
  }
  const NameUse from = use_of(record.from);
  const NameUse to = use_of(record.to);
  recorder_.add(record, from, to);
  for (auto& [session, listener] : listeners_) {
    listener.source.offer(record, from, to, entry.extra);
  }
}

NameUse Desk::use_of(std::uint32_t number) const {
  if (number == core::kBrokerName || number >= names_.size()) return {};
  return {number, names_[number].version, names_[number].text};
}

void Desk::serve(std::uint64_t now_ns, Done& done) {
  for (auto& [session, listener] : listeners_) {
    if (listener.source.next_body().empty()) listener.source.tell_missed(now_ns);
    done.bodies = send(session, Channel::kTap, listener) || done.bodies;
  }
  for (auto at = recalls_.begin(); at != recalls_.end();) {
    Stream<Recall>& recall = at->second;
    if (!recall.source.over()) done.something = recall.source.go_on(recorder_) || done.something;
    done.bodies = send(at->first, Channel::kRecall, recall) || done.bodies;
    const bool over = recall.source.over() && recall.source.next_body().empty();
    at = over ? recalls_.erase(at) : std::next(at);
  }
}

template <typename Source>
bool Desk::send(core::SessionId session, Channel channel, Stream<Source>& stream) {
  bool sent = false;
  for (; stream.under_way < kMostUnderWay; sent = true) {
    const Bytes body = stream.source.next_body();
    if (body.empty()) break;
    OutBody out{session, channel, stream.ticket, false, ByteBuffer(body.begin(), body.end())};
    stream.source.pop_body();
    if constexpr (std::is_same_v<Source, Recall>) {
      out.last = stream.source.over() && stream.source.next_body().empty();
    }
    mail_.put(std::move(out));
    ++stream.under_way;
  }
  return sent;
}

}  // namespace zpost::tap
