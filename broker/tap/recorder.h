// The flight recorder: the latest tap records, as many as fit a bound of bytes.
//
// A record takes about ten bytes: it says what differs from the one before; one or two where its
// sender goes on as before. Records stand in blocks that can each be read by themselves, so that
// the oldest can go and a search can pass over those that cannot have what it looks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "broker/tap/listener.h"
#include "zpost/protocol/msgpack_reader.h"
#include "zpost/protocol/tap_record.h"

namespace zpost::tap {

/// Thread: one at a time.
class Recorder {
 public:
  static constexpr std::size_t kBlockBytes = 64 << 10;

  /// A record as it comes back, with its names. `number` is the block's own.
  struct Found {
    TapRecord record;
    NameUse from;
    NameUse to;
  };

  /// Keeps `bytes`, and the block being filled beside them. 0: nothing is kept.
  explicit Recorder(std::size_t bytes) : limit_(bytes) {}

  /// What continues the record before, of the same time, becomes a part of it.
  void add(const TapRecord& record, const NameUse& from, const NameUse& to);

  /// Ends the block that is being filled, so that all that is known can be read.
  void seal();

  /// Blocks that can be read: [first_block(), end_block()). Numbers are never used again.
  [[nodiscard]] std::uint64_t first_block() const { return next_serial_ - blocks_.size(); }

  [[nodiscard]] std::uint64_t end_block() const { return next_serial_; }

  /// The time of the oldest record; 0: there is none.
  [[nodiscard]] std::uint64_t oldest_ns() const;

  /// Of the latest in a block that can be read.
  [[nodiscard]] std::uint64_t newest_ns() const {
    return blocks_.empty() ? 0 : blocks_.back().last_ns;
  }

  /// Of all that is kept, the block being filled as far as it is full.
  [[nodiscard]] std::size_t bytes() const {
    return bytes_ + (open_.records == 0 ? 0 : sizeof open_ + open_.bytes.size() + open_names_);
  }

  [[nodiscard]] std::uint64_t records() const { return records_; }

  /// How many records were ever added before those of the block. REQUIRES: first_block() <= serial
  /// <= end_block().
  [[nodiscard]] std::uint64_t records_before(std::uint64_t serial) const {
    return serial == end_block() ? added_ - open_.records : block(serial).begins_at;
  }

  /// Whether the block may have a record of `id` sent by `from` (empty: anyone).
  /// REQUIRES: first_block() <= serial < end_block(), as for all that follow.
  [[nodiscard]] bool may_have(std::uint64_t serial, std::string_view from, std::uint64_t id) const;
  /// Whether it has a record of `name`.
  [[nodiscard]] bool has_sender(std::uint64_t serial, std::string_view name) const;
  /// Whether it may have records of [since_ns, until_ns].
  [[nodiscard]] bool overlaps(std::uint64_t serial, std::uint64_t since_ns,
                              std::uint64_t until_ns) const;

  /// Whether a session began, changed or ended in it.
  [[nodiscard]] bool has_sessions(std::uint64_t serial) const { return block(serial).sessions; }

  /// Calls visit(const Found&) for each record of the block, in order.
  template <typename Visit>
  void read(std::uint64_t serial, Visit visit) const;

 private:
  /// A name in a block, and the ids its records speak of.
  struct Sender {
    std::string name;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
  };

  struct Block {
    std::vector<std::byte> bytes;
    std::vector<Sender> senders;  // By the block's number for a name; 0: the broker.
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    std::uint64_t records = 0;
    std::uint64_t begins_at = 0;  // Of all records there ever were.
    bool sessions = false;

    [[nodiscard]] std::size_t weight() const;
  };

  /// Where the number of a name leads in the open block.
  struct Place {
    std::uint64_t serial = 0;  // Of the block it is valid for.
    std::uint32_t version = 0;
    std::uint32_t local = 0;
  };

  /// The two latest records of a sender's ids, with the block's numbers for names.
  struct History {
    TapRecord latest;
    TapRecord earlier;
  };

  /// What writer and reader of a block remember of the records before.
  struct Context {
    std::uint64_t time_ns = 0;
    std::uint32_t from = 0;
    std::vector<History> senders;  // By the block's number.

    void remember(const TapRecord& record);
  };

  class Reader;

  void begin_block();
  void drop_oldest();
  [[nodiscard]] std::uint32_t local(const NameUse& name);
  [[nodiscard]] bool continues_last(const TapRecord& record) const;
  [[nodiscard]] TapRecord take_back(const TapRecord& record, std::uint32_t from);
  [[nodiscard]] bool was_forwarded(const TapRecord& record) const;
  void write(TapRecord record, std::uint32_t from, std::uint32_t to);
  [[nodiscard]] bool write_repeat(const TapRecord& record);
  void write_whole(const TapRecord& record);

  [[nodiscard]] const Block& block(std::uint64_t serial) const {
    return blocks_[serial - first_block()];
  }

  const std::size_t limit_;
  std::deque<Block> blocks_;  // Sealed ones.
  Block open_;
  std::size_t open_names_ = 0;  // Bytes of its senders.
  Context context_;
  std::vector<Place> places_;  // By the name's number.
  std::uint64_t next_serial_ = 1;
  std::size_t bytes_ = 0;  // Of sealed blocks.
  std::uint64_t records_ = 0;
  std::uint64_t added_ = 0;           // Ever.
  TapRecord last_;                    // The latest of the open block,
  std::size_t last_head_ = SIZE_MAX;  // where it stands there; SIZE_MAX: nothing joins it,

  struct {
    std::uint64_t time_ns = 0;
    std::uint32_t from = 0;
    History history;  // Of its sender.
  } before_last_;     // and the context before it.
};

/// Takes a block apart.
class Recorder::Reader {
 public:
  explicit Reader(const Block& block) : block_(block), rest_(block.bytes) {
    context_.senders.resize(block.senders.size());
  }

  /// False: there are no more.
  [[nodiscard]] bool next(Found& found);

 private:
  void read_repeat(std::uint8_t head, TapRecord& record);
  void read_whole(std::uint8_t head, TapRecord& record);
  [[nodiscard]] std::uint64_t number();
  [[nodiscard]] std::int64_t signed_number();
  [[nodiscard]] NameUse name(std::uint64_t local) const;

  const Block& block_;
  Bytes rest_;
  Context context_;
  Found joined_;
  bool has_joined_ = false;
};

template <typename Visit>
void Recorder::read(std::uint64_t serial, Visit visit) const {
  Reader reader(block(serial));
  for (Found found; reader.next(found);) visit(static_cast<const Found&>(found));
}

}  // namespace zpost::tap
