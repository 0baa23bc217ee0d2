// Knows every letter any program sent, who was given it, and what its sender was told.
//
// A letter is an envelope of payload between programs, known by a serial number in its body. What
// programs see is held against each other here: docs/simulation.md lists the rules.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/sim/dice.h"
#include "tests/sim/world/serials.h"
#include "zpost/peer/message.h"
#include "zpost/protocol/envelope.h"

namespace zpost::sim {

/// One run of a program, over all histories of its name.
using InstanceId = std::uint32_t;

class LetterBook {
 public:
  struct Letter {
    Serial serial = 0;
    InstanceId sender = 0;
    std::string to;
    Kind kind = Kind::kSend;
    std::uint64_t id = 0;  // 0: not known yet.
    bool arrived = false;  // At the library of a recipient.

    bool given = false;  // To a program, if it is no reply: that is the requester's to fetch.
    bool taken = false;  // Or as good as: see note_new_session().

    bool sender_gone = false;
    Outcome outcome = Outcome::kNone;  // As its sender was told.
  };

  // --- Programs --------------------------------------------------------------------------------

  [[nodiscard]] InstanceId add_instance(const std::string& name);
  /// A client that acknowledges nothing and remembers nothing: it may read a letter again, and is
  /// told of its own what it does not keep.
  [[nodiscard]] InstanceId add_plain_instance(const std::string& name);

  /// How a program ends.
  enum class End {
    kKilled,  // It hears of nothing any more.
    kOver,    // Closed, or refused for good: it was told all there is to tell.
  };

  /// From now on it is told nothing and given nothing.
  void end_instance(InstanceId instance, End how);

  [[nodiscard]] const std::string& name_of(InstanceId instance) const {
    return instances_[instance].name;
  }

  // --- Sending ---------------------------------------------------------------------------------

  /// A new letter; its body is for_body(serial, size).
  [[nodiscard]] Serial write(InstanceId sender, std::string_view to, Kind kind);
  /// The library gave it `id`.
  void note_id(Serial serial, std::uint64_t id);
  /// It waits for credit, and its id for that.
  void note_deferred(Serial serial);
  /// It was never accepted.
  void forget(Serial serial);

  // --- Receiving -------------------------------------------------------------------------------

  /// The library of `recipient` received it.
  void note_arrived(InstanceId recipient, const EnvelopeView& view);
  /// The program was given it.
  void note_given(InstanceId recipient, const EnvelopeView& view);
  /// A plain client read it.
  void note_read(InstanceId recipient, const EnvelopeView& view);
  /// The program took all it was given.
  void note_taken(InstanceId recipient);
  /// It was welcomed in this run of the broker.
  void note_run(InstanceId instance, std::uint64_t run);

  /// Its session began anew. What it was given counts as taken, since it is dropped if it comes
  /// again.
  void note_new_session(InstanceId instance) { note_taken(instance); }

  // --- What senders are told -------------------------------------------------------------------

  void note_report(InstanceId sender, const peer::OutcomeReport& report);
  /// A reply came to whoever asked; who wrote it.
  InstanceId note_reply(const peer::Message& message);
  /// The final outcome of a request.
  void note_answer(Serial request, const peer::Answer<peer::Message>& answer);

  // --- The end ---------------------------------------------------------------------------------

  /// Letters of living programs without an outcome, in words; empty if there are none.
  [[nodiscard]] std::string open_letters() const;

  [[nodiscard]] std::uint64_t written() const { return letters_.size(); }

  [[nodiscard]] const Letter& letter(Serial serial) const { return letters_[serial - 1]; }

  [[nodiscard]] std::string describe(Serial serial) const { return describe(letter(serial)); }

 private:
  struct Instance {
    std::string name;
    bool ended = false;
    bool plain = false;
    std::uint64_t run = 0;                            // The latest it was welcomed in.
    std::vector<Serial> untaken;                      // Given and not taken.
    std::map<std::string, std::uint64_t> last_given;  // By the sender's name.
    std::map<Serial, bool> given;
    std::map<std::uint64_t, Serial> by_id;  // What it sent.
    std::map<std::string, std::deque<Serial>> deferred;
  };

  [[nodiscard]] Letter& letter_of(const EnvelopeView& view);
  [[nodiscard]] Letter& reported(InstanceId sender, const peer::OutcomeReport& report);
  void bind(Letter& letter, std::uint64_t id);
  void tell(Letter& letter, Outcome outcome);
  void check_success(const Letter& letter, Outcome outcome) const;
  [[nodiscard]] bool went_to_plain_client(const Letter& letter) const;
  void check_failure(const Letter& letter, Outcome outcome) const;
  [[nodiscard]] std::string describe(const Letter& letter) const;

  std::deque<Letter> letters_;  // Serial 1 first.
  std::vector<Instance> instances_;
  std::uint64_t run_ = 0;
};

/// The body of a letter: its serial and filling, `size` bytes but at least eight.
[[nodiscard]] std::string letter_body(Serial serial, std::size_t size);
/// 0 if the body is none of a letter.
[[nodiscard]] Serial serial_in(Bytes body);

}  // namespace zpost::sim
