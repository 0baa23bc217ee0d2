// The public calls: thin, everything is in Impl.
#include "zpost/peer/peer.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "peer/src/callback_scope.h"
#include "peer/src/endpoint.h"
#include "peer/src/exhaustion.h"
#include "peer/src/impl.h"
#include "peer/src/who.h"
#include "zpost/protocol/names.h"

namespace zpost::peer {
namespace {

std::uint64_t wall_clock_ns() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

Draft draft_of(Kind kind, std::string_view to, Bytes body, const SendOptions& options) {
  Draft draft{.kind = kind, .to = to, .body = body, .text = options.text, .meta = {}};
  draft.meta.content_type = options.content_type;
  draft.meta.trace = options.trace;
  draft.meta.idempotent = options.idempotent && kind == Kind::kCall;
  if (options.stamp) draft.meta.sent_ns = wall_clock_ns();
  return draft;
}

Draft draft_of(std::string_view topic, Bytes body, const PublishOptions& options) {
  Draft draft{.kind = Kind::kPublish, .to = topic, .body = body, .text = options.text, .meta = {}};
  draft.meta.content_type = options.content_type;
  draft.meta.trace = options.trace;
  draft.meta.retain = options.retain;
  draft.meta.wanted =
      (options.wants_count ? kWantCount : 0) | (options.needs_subscriber ? kWantSubscriber : 0);
  if (options.stamp) draft.meta.sent_ns = wall_clock_ns();
  return draft;
}

Failure invalid(std::string text) {
  return {Fault::kInvalid, Outcome::kNone, std::move(text)};
}

/// Until `deadline`, rounded up.
milliseconds time_left(Time deadline) {
  if (deadline == Time::max()) return kForever;
  return std::chrono::ceil<milliseconds>(deadline - Clock::now());
}

std::string text_of(milliseconds time) {
  return std::to_string(time.count()) + " ms";
}

std::optional<Failure> check_metadata(const Metadata& metadata) {
  std::size_t bytes = 0;
  for (const auto& [key, value] : metadata) {
    bytes += key.size() + value.size() + 6;
    if (!is_utf8(key)) return invalid("metadata: a key is not UTF-8");
    if (!is_utf8(value)) return invalid("metadata: the value of \"" + key + "\" is not UTF-8");
  }
  if (bytes <= kMaxMetadataBytes) return std::nullopt;
  return invalid("metadata: up to " + std::to_string(bytes) + " bytes encoded, the limit is " +
                 std::to_string(kMaxMetadataBytes));
}

std::optional<Failure> check_will(const Will& will) {
  if (will.kind == Kind::kPublish ? !is_topic(will.to) : !is_name(will.to)) {
    return invalid("will: \"" + will.to + "\" is not a " +
                   (will.kind == Kind::kPublish ? "topic" : "name"));
  }
  if (will.kind != Kind::kPublish && will.kind != Kind::kSend) {
    return invalid("will: its kind is neither kSend nor kPublish");
  }
  if (will.body.size() > kMaxWillBytes) {
    return invalid("will: a body of " + std::to_string(will.body.size()) + " bytes, the limit is " +
                   std::to_string(kMaxWillBytes));
  }
  if (will.content_type.size() > kMaxContentTypeBytes || !is_utf8(will.content_type)) {
    return invalid("will: its content type is not UTF-8 of at most " +
                   std::to_string(kMaxContentTypeBytes) + " bytes");
  }
  return std::nullopt;
}

std::optional<Failure> check_texts(const Options& options) {
  const std::size_t length = options.software.size();
  if (length > kMaxSoftwareBytes) {
    return invalid("software: " + std::to_string(length) + " bytes, the limit is " +
                   std::to_string(kMaxSoftwareBytes));
  }
  if (!is_utf8(options.software)) return invalid("software: not UTF-8");
  if (auto failure = check_metadata(options.metadata)) return failure;
  return options.will ? check_will(*options.will) : std::nullopt;
}

std::optional<Failure> check_times(const Options& options) {
  if (options.connect_timeout < milliseconds::zero()) {
    return invalid("connect_timeout: " + text_of(options.connect_timeout) + ", the least is 0 ms");
  }
  if (options.reconnect_first <= milliseconds::zero()) {
    return invalid("reconnect_first: " + text_of(options.reconnect_first) + ", the least is 1 ms");
  }
  if (options.reconnect_last >= options.reconnect_first) return std::nullopt;
  return invalid("reconnect_last: " + text_of(options.reconnect_last) +
                 ", the least is reconnect_first, " + text_of(options.reconnect_first));
}

std::optional<Failure> check(const Options& options) {
  if (!is_name(options.name)) {
    return invalid("name \"" + options.name + "\": a name is [A-Za-z0-9][A-Za-z0-9._-]{0,63}");
  }
  if (std::string wrong = wrong_endpoint_text(options.endpoint); !wrong.empty()) {
    return invalid(std::move(wrong));
  }
  if (auto failure = check_texts(options)) return failure;
  return check_times(options);
}

}  // namespace

Peer::Peer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Peer::Peer(Peer&&) noexcept = default;
Peer& Peer::operator=(Peer&&) noexcept = default;
Peer::~Peer() = default;

Answer<Peer> Peer::connect(Options options) {
  if (options.name.empty()) options.name = fresh_name();
  if (auto failure = check(options)) return *std::move(failure);
  try {
    auto impl = std::make_unique<Impl>(std::move(options));
    if (auto failure = impl->connect()) return *std::move(failure);
    return Peer(std::move(impl));
  } catch (const std::system_error& error) {
    return exhausted(error);
  }
}

const std::string& Peer::name() const {
  return impl_->options().name;
}

const std::string& Peer::endpoint() const {
  return impl_->options().endpoint;
}

Welcome Peer::welcome() const {
  return impl_->look([](const State& state) { return state.welcome(); });
}

bool Peer::connected() const {
  return impl_->look([](const State& state) { return state.phase() == State::Phase::kActive; });
}

Statistics Peer::statistics() const {
  return impl_->look([](const State& state) { return state.statistics(); });
}

// --- Sending -------------------------------------------------------------------------------------

Answer<std::uint64_t> Peer::send(std::string_view to, Bytes body, const SendOptions& options) {
  return impl_->send(draft_of(Kind::kSend, to, body, options), options.timeout);
}

Answer<std::uint64_t> Peer::try_send(std::string_view to, Bytes body, const SendOptions& options) {
  return impl_->send(draft_of(Kind::kSend, to, body, options), kNever);
}

Answer<SentSpan> Peer::send(std::string_view to, std::span<const Bytes> bodies,
                            const SendOptions& options) {
  return impl_->send_span(draft_of(Kind::kSend, to, {}, options), bodies, options.timeout);
}

Answer<std::uint64_t> Peer::publish(std::string_view topic, Bytes body,
                                    const PublishOptions& options) {
  return impl_->send(draft_of(topic, body, options), options.timeout);
}

Answer<std::uint64_t> Peer::try_publish(std::string_view topic, Bytes body,
                                        const PublishOptions& options) {
  return impl_->send(draft_of(topic, body, options), kNever);
}

Answer<SentSpan> Peer::publish(std::string_view topic, std::span<const Bytes> bodies,
                               const PublishOptions& options) {
  return impl_->send_span(draft_of(topic, {}, options), bodies, options.timeout);
}

void Peer::flush() {
  impl_->flush();
}

bool Peer::wait_settled(milliseconds timeout) {
  return impl_->wait_settled(timeout);
}

std::optional<OutcomeReport> Peer::next_outcome(milliseconds timeout) {
  return impl_->next_outcome(timeout);
}

void Peer::on_outcome(std::function<void(const OutcomeReport&)> callback) {
  impl_->on_outcome(std::move(callback));
}

// --- Topics --------------------------------------------------------------------------------------

Answer<std::uint64_t> Peer::subscribe(std::string_view pattern, const SubscribeOptions& options) {
  return impl_->subscribe({pattern, options.policy, options.excludes_own, !options.retained});
}

Answer<std::uint64_t> Peer::unsubscribe(std::string_view pattern) {
  return impl_->unsubscribe(pattern);
}

// --- Request and reply ---------------------------------------------------------------------------

std::future<Answer<Message>> Peer::request(std::string_view to, Bytes body, milliseconds timeout,
                                           const SendOptions& options) {
  return ask(draft_of(Kind::kRequest, to, body, options), timeout, options);
}

Answer<std::uint64_t> Peer::request(std::string_view to, Bytes body, milliseconds timeout,
                                    std::function<void(Answer<Message>)> callback,
                                    const SendOptions& options) {
  if (!callback) return invalid("callback: empty");
  return impl_->request(draft_of(Kind::kRequest, to, body, options), options.timeout, timeout,
                        Impl::Replies::kOne, std::move(callback));
}

Answer<std::uint64_t> Peer::request_stream(std::string_view to, Bytes body, milliseconds timeout,
                                           std::function<void(Answer<Message>)> callback,
                                           const SendOptions& options) {
  if (!callback) return invalid("callback: empty");
  return impl_->request(draft_of(Kind::kRequest, to, body, options), options.timeout, timeout,
                        Impl::Replies::kMany, std::move(callback));
}

std::future<Answer<Message>> Peer::call(std::string_view service, Bytes body, milliseconds timeout,
                                        const SendOptions& options) {
  return ask(draft_of(Kind::kCall, service, body, options), timeout, options);
}

Answer<std::uint64_t> Peer::call(std::string_view service, Bytes body, milliseconds timeout,
                                 std::function<void(Answer<Message>)> callback,
                                 const SendOptions& options) {
  if (!callback) return invalid("callback: empty");
  return impl_->request(draft_of(Kind::kCall, service, body, options), options.timeout, timeout,
                        Impl::Replies::kOne, std::move(callback));
}

Answer<std::uint64_t> Peer::call_stream(std::string_view service, Bytes body, milliseconds timeout,
                                        std::function<void(Answer<Message>)> callback,
                                        const SendOptions& options) {
  if (!callback) return invalid("callback: empty");
  return impl_->request(draft_of(Kind::kCall, service, body, options), options.timeout, timeout,
                        Impl::Replies::kMany, std::move(callback));
}

std::future<Answer<Message>> Peer::ask(const Draft& draft, milliseconds timeout,
                                       const SendOptions& options) {
  auto promise = std::make_shared<std::promise<Answer<Message>>>();
  std::future<Answer<Message>> future = promise->get_future();
  const Answer<std::uint64_t> sent =
      impl_->request(draft, options.timeout, timeout, Impl::Replies::kOne,
                     [promise](Answer<Message> answer) { promise->set_value(std::move(answer)); });
  if (!sent) promise->set_value(sent.error());
  return future;
}

Answer<void> Peer::cancel(std::uint64_t id) {
  return impl_->cancel(id);
}

Answer<std::uint64_t> Peer::offer(std::string_view service, std::uint64_t capacity) {
  return impl_->offer({service, capacity});
}

Answer<std::uint64_t> Peer::withdraw(std::string_view service) {
  return impl_->withdraw(service);
}

std::optional<Cancellation> Peer::next_cancellation(milliseconds timeout) {
  return impl_->next_cancellation(timeout);
}

Answer<std::uint64_t> Peer::reply(const Message& request, Bytes body, const SendOptions& options) {
  return reply(request.from, request.id, body, options);
}

Answer<std::uint64_t> Peer::reply(std::string_view to, std::uint64_t in_reply_to, Bytes body,
                                  const SendOptions& options) {
  Draft draft = draft_of(Kind::kReply, to, body, options);
  draft.meta.in_reply_to = in_reply_to;
  draft.meta.more = options.more;
  return impl_->send(draft, options.timeout);
}

Answer<std::uint64_t> Peer::reject(std::string_view to, std::uint64_t in_reply_to,
                                   std::string_view reason, const SendOptions& options) {
  Draft draft = draft_of(Kind::kReply, to, as_bytes(reason), options);
  draft.text = true;
  draft.meta.in_reply_to = in_reply_to;
  draft.meta.rejected = true;
  return impl_->send(draft, options.timeout);
}

Answer<std::vector<Peer::PeerInfo>> Peer::who(milliseconds timeout) {
  if (CallbackScope::active(impl_.get())) {
    return Failure{Fault::kWouldBlock, Outcome::kNone, "who waits for an answer"};
  }
  const Time deadline = deadline_after(Clock::now(), timeout);
  std::vector<PeerInfo> peers;
  std::uint64_t start = 0;
  do {
    const Answer<Message> answer = request("", who_question(start), time_left(deadline)).get();
    if (!answer) return answer.error();
    const Answer<std::uint64_t> next = read_who(answer->body, peers);
    if (!next) return next.error();
    start = *next;
  } while (start != 0);
  return peers;
}

// --- Receiving -----------------------------------------------------------------------------------

std::optional<Message> Peer::receive(milliseconds timeout) {
  return impl_->receive(timeout);
}

bool Peer::receive_batch(Batch& batch, milliseconds timeout, std::size_t max) {
  return impl_->receive_batch(batch, timeout, max);
}

void Peer::run(const std::function<bool(const EnvelopeView&)>& callback) {
  impl_->run(callback);
}

void Peer::take() {
  impl_->take();
}

void Peer::add_demand(std::uint64_t count) {
  impl_->add_demand(count);
}

int Peer::descriptor() const {
  return impl_->descriptor();
}

void Peer::interrupt() {
  impl_->interrupt();
}

// --- Others and oneself --------------------------------------------------------------------------

Answer<void> Peer::watch(std::string_view pattern) {
  return impl_->watch(pattern);
}

Answer<std::uint64_t> Peer::describe(const Metadata& metadata) {
  if (auto failure = check_metadata(metadata)) return *std::move(failure);
  return impl_->describe(metadata);
}

std::optional<PresenceChange> Peer::next_presence(milliseconds timeout) {
  return impl_->next_presence(timeout);
}

std::optional<StateChange> Peer::next_state(milliseconds timeout) {
  return impl_->next_state(timeout);
}

void Peer::on_state(std::function<void(const StateChange&)> callback) {
  impl_->on_state(std::move(callback));
}

bool Peer::close(milliseconds timeout) {
  return impl_->close(timeout);
}

}  // namespace zpost::peer
