#include "tools/inspect/capture_reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/capture/compressors.h"
#include "tools/capture/pcapng_format.h"
#include "tools/capture/record.h"

namespace zpost::inspect {

Result<void> CaptureReader::open() {
  if (const auto opened = file_.open(path_); !opened) return opened;
  bytes_ = capture::make_unpacking_source(file_);
  packets_ = std::make_unique<capture::PcapngReader>(*bytes_);
  return {};
}

Result<bool> CaptureReader::next() {
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
