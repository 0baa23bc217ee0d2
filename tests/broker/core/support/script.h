// Runs a transcript: what peers do, in words, and what they get. tests/broker/core/transcripts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/broker/core/support/fake_peer.h"
#include "tests/broker/core/support/world.h"

namespace zpost::core::test {

/// Interprets commands, one a line. A block of commands ends with `----`; its output follows, up to
/// an empty line. run() returns the same text with the output as it is now.
///
///     limits KEY=VALUE …            a new world; only as the first command
///     NAME connect                  a new socket, nothing said
///     NAME ITEM + ITEM …            one frame of several envelopes, see below
///     NAME resume                   its connection is lost; hello on a new one
///     NAME lost | lost late         the broker hears of it before or after reading what was sent
///     NAME mute                     half-open: nothing arrives any more, nobody is told
///     NAME room=N | paused | reads  frames its pipe takes; it does not read, it reads again
///     NAME handover | forgotten     the identity on another descriptor; the slot is free
///     NAME multipart                a message of several parts
///     wait 500ms | wait 3s
///     memory BYTES | drain | farewell | accounting
///
/// Items: `hello`, `send TO TEXT`, `request TO TEXT`, `reply TO TEXT`, `publish TO TEXT`, `ack`,
/// `ack TAKEN OUTCOMES [CREDIT [DEMAND]]`, `takes N`, `watch PATTERN [off]`, `ping TEXT`, `pong`,
/// `subscribe PATTERN [block|disconnect] [not-own] [no-retained] [answer]`, `unsubscribe PATTERN`,
/// `offer SERVICE [capacity=N] [answer]`, `withdraw SERVICE`, `cancel ID`, `describe TEXT`,
/// `goodbye`, `junk HEX`, `kind NUMBER`, `cut N` (the frame loses its last bytes). Options of a
/// hello: `simple window=N frames=N demand=N no-resume no-pong display=TEXT`; of payload:
/// `x=COUNT`, `size=BYTES`, `from=NAME`, `id=ID`, `to=ID` (of the request), `durable`,
/// `deadline=MS` from now, `counted`, `somebody`, `retain`, `idempotent`, `more`.
/// TEXT `{op=who}` is a question in msgpack; TO `the-broker` is the empty name. NAME/2 is another
/// instance of NAME.
class Script {
 public:
  [[nodiscard]] std::string run(std::string_view text);

 private:
  using Words = std::vector<std::string>;

  struct Actor {
    std::unique_ptr<FakePeer> peer;
    bool paused = false;
  };

  void command(const Words& words);
  bool world_command(const Words& words);
  bool connection_command(Actor& actor, const Words& words);
  void items(Actor& actor, const Words& words);
  void item(FakePeer& peer, const Words& words);
  void hello(FakePeer& peer, const Words& words);
  void payload(FakePeer& peer, const Words& words);
  void control(FakePeer& peer, const Words& words);
  void limits(const Words& words);
  void output();
  Actor& actor(const std::string& name);

  std::unique_ptr<World> world_;
  std::map<std::string, Actor> actors_;
  std::vector<std::string> lines_;
  std::uint64_t hellos_ = 0;
};

}  // namespace zpost::core::test
