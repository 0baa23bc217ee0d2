// zpost's clients of topics: one publish a call, and all that arrives in batches.
#include <fmt/core.h>

#include <chrono>
#include <string>
#include <vector>

#include "tools/bench/systems/zpost_clients.h"

namespace zpost::bench {

using std::chrono::seconds;

void publish_by_zpost(const Part& part, Gate& gate, PayloadSource& source) {
  peer::Peer peer = connect_zpost(fmt::format("publisher-{}", part.pair), part.port);
  std::vector<std::string> topics;
  for (std::uint32_t topic = 0; topic < part.topics; ++topic) {
    topics.push_back(fmt::format("load/{}/{}", part.pair, topic));
  }
  std::vector<std::byte> payload(part.payload_bytes);
  gate.wait_for_start();
  for (std::size_t topic = 0; source.next(payload); topic = (topic + 1) % topics.size()) {
    const auto sent = peer.publish(topics[topic], payload);
    if (!sent) throw std::runtime_error(sent.error().text);
  }
  demand(peer.wait_settled(seconds(60)), "not everything was settled");
  demand(peer.statistics().failed == 0, "some publishes were not delivered");
  peer.close(seconds(1));
}

/// Its publishers wait for it: the other systems' queues are set so large that nothing is dropped.
void subscribe_by_zpost(const Part& part, Gate& gate, PayloadSink& sink) {
  peer::Peer peer = connect_zpost(fmt::format("subscriber-{}", part.number), part.port);
  const auto subscribed =
      peer.subscribe(fmt::format("load/{}/*", part.pair), {.policy = SlowPolicy::kBlock});
  if (!subscribed) throw std::runtime_error(subscribed.error().text);
  demand(peer.wait_settled(seconds(10)), "the subscription was not answered");
  gate.ready();
  peer::Batch batch;
  while (!sink.complete()) {
    if (!peer.receive_batch(batch, kReceiveWait)) continue;
    for (const EnvelopeView& envelope : batch.envelopes()) sink.accept(envelope.body);
  }
  peer.close(seconds(1));
}

}  // namespace zpost::bench
