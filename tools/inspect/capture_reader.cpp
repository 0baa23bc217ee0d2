#include "tools/inspect/capture_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "tools/capture/compressors.h"
#include "tools/capture/pcapng_format.h"
#include "tools/capture/record.h"
#include "tools/inspect/capture_writer.h"

namespace zpost::inspect {
namespace {

/// Gives back first what was read before.
class ResumedSource : public capture::ByteSource {
 public:
  ResumedSource(std::optional<std::byte> first, capture::ByteSource& rest)
      : first_(first), rest_(rest) {}

  [[nodiscard]] std::size_t read(std::span<std::byte> room) override {
    if (!first_) return rest_.read(room);
    room.front() = *std::exchange(first_, std::nullopt);
    return 1;
  }

  [[nodiscard]] std::string trouble() const override { return rest_.trouble(); }

 private:
  std::optional<std::byte> first_;
  capture::ByteSource& rest_;
};

}  // namespace

Result<void> CaptureReader::open() {
  if (const auto opened = file_.open(path_); !opened) return opened;
  bytes_ = capture::make_unpacking_source(file_);
  std::byte begin = {};
  const bool is_empty = bytes_->read(std::span(&begin, 1)) == 0;
  whole_ = std::make_unique<ResumedSource>(is_empty ? std::nullopt : std::optional(begin), *bytes_);
  // Nothing was captured into a file of JSON lines that is empty.
  const bool is_json =
      is_empty ? format_of(path_) == CaptureFormat::kJson : begin == std::byte{'{'};
  if (is_json) {
    lines_ = std::make_unique<JsonLinesReader>(*whole_);
  } else {
    packets_ = std::make_unique<capture::PcapngReader>(*whole_);
  }
  return {};
}

Result<bool> CaptureReader::next_line() {
  const Result<bool> more = lines_->next();
  if (!more) {
    return Error{more.error().code,
                 fmt::format("{}: byte {}: {}", path_, offset(), more.error().text)};
  }
  if (!*more) return false;
  entry_ = lines_->entry();
  redacted_ = lines_->is_redacted();
  return true;
}

Result<bool> CaptureReader::next() {
  if (lines_) return next_line();
  capture::Packet packet;
  while (true) {
    const Result<bool> more = packets_->next(packet);
    if (!more) return Error{more.error().code, fmt::format("{}: {}", path_, more.error().text)};
    if (!*more) return false;
    if (packet.link_type != capture::kExportedPdu || !capture::strip_tags(packet.data)) {
      ++foreign_;
      continue;
    }
    const Result<capture::Record> record = capture::read_record(packet.data);
    if (!record) {
      return Error{record.error().code,
                   fmt::format("{}: byte {}: {}", path_, offset(), record.error().text)};
    }
    redacted_ = record->redacted;
    entry_ = {record->record, std::string(record->from), std::string(record->to), record->shown,
              std::max(packet.missed, record->record.missed)};
    return true;
  }
}

}  // namespace zpost::inspect
