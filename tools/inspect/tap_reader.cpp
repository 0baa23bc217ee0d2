#include "tools/inspect/tap_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace zpost::inspect {
namespace {

constexpr std::size_t kAlignment = 8;

std::size_t padded(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Result<void> TapReader::read(Bytes body, std::vector<TapEntry>& entries) {
  const std::size_t whole = body.size();
  while (!body.empty()) {
    TapRecord record;
    if (body.size() < sizeof record) {
      return Error{Outcome::kMalformed, fmt::format("a tap record is cut at byte {}", whole)};
    }
    std::memcpy(&record, body.data(), sizeof record);
    body = body.subspan(sizeof record);
    if (body.size() < record.extra) {
      return Error{Outcome::kMalformed, fmt::format("a tap record announces {} bytes, {} are there",
                                                    record.extra, body.size())};
    }
    const Bytes extra = body.first(record.extra);
    body = body.subspan(std::min(body.size(), padded(record.extra)));
    untold_ += count_missed(record);
    if (record.event == TapEvent::kName) {
      names_[record.from] = as_text(extra);
      continue;
    }
    entries.push_back(
        {record, name(record.from), name(record.to), extra, std::exchange(untold_, 0)});
  }
  return {};
}

std::uint64_t TapReader::count_missed(const TapRecord& record) {
  const std::uint64_t jump = next_sequence_ != 0 && record.sequence > next_sequence_
                                 ? record.sequence - next_sequence_
                                 : 0;
  next_sequence_ = record.sequence + 1;
  return std::max(jump, record.missed);
}

std::string TapReader::name(std::uint32_t number) const {
  if (number == 0) return "";
  const auto found = names_.find(number);
  return found == names_.end() ? fmt::format("#{}", number) : found->second;
}

}  // namespace zpost::inspect
