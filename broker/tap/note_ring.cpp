#include "broker/tap/note_ring.h"

#include <bit>
#include <cstring>

namespace zpost::tap {

NoteRing::NoteRing(std::size_t bytes)
    : capacity_(std::bit_ceil(bytes)), bytes_(new std::byte[capacity_]) {}

bool NoteRing::put(Type type, const TapRecord& record, Bytes extra) {
  const std::size_t bytes = sizeof(Header) + sizeof record + extra.size();
  const std::size_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  // An entry is in one piece: what is left before the end may have to be skipped.
  const std::size_t to_end = capacity_ - (written_ & (capacity_ - 1));
  const std::size_t skipped = size > to_end ? to_end : 0;
  if (written_ + skipped + size - known_tail_ > capacity_) {
    known_tail_ = tail_.load(std::memory_order_acquire);
    if (written_ + skipped + size - known_tail_ > capacity_) return false;
  }
  if (skipped > 0) {
    const Header header{static_cast<std::uint32_t>(skipped), Type::kSkip, 0, 0};
    std::memcpy(at(written_), &header, sizeof header);
    written_ += skipped;
  }
  const Header header{static_cast<std::uint32_t>(size), type,
                      static_cast<std::uint32_t>(extra.size()), 0};
  std::byte* const out = at(written_);
  std::memcpy(out, &header, sizeof header);
  std::memcpy(out + sizeof header, &record, sizeof record);
  if (!extra.empty()) {
    std::memcpy(out + sizeof header + sizeof record, extra.data(), extra.size());
  }
  written_ += size;
  return true;
}

bool NoteRing::front(Entry& entry) {
  for (;;) {
    if (read_ == known_head_) {
      known_head_ = head_.load(std::memory_order_acquire);
      if (read_ == known_head_) return false;
    }
    Header header;
    const std::byte* const in = at(read_);
    std::memcpy(&header, in, sizeof header);
    if (header.type == Type::kSkip) {
      read_ += header.size;
      continue;
    }
    entry.type = header.type;
    std::memcpy(&entry.record, in + sizeof header, sizeof entry.record);
    entry.extra = {in + sizeof header + sizeof entry.record, header.extra};
    return true;
  }
}

void NoteRing::pop() {
  Header header;
  std::memcpy(&header, at(read_), sizeof header);
  read_ += header.size;
  tail_.store(read_, std::memory_order_release);
}

}  // namespace zpost::tap
