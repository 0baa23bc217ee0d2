// The reader of capture files on any bytes, packed or not, and of the records in them.
//
// Beyond crashes: what is read lies within the input, and is written and read back the same; after
// damage reading goes on, and ends.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "tools/capture/byte_source.h"
#include "tools/capture/compressors.h"
#include "tools/capture/pcapng_reader.h"
#include "tools/capture/pcapng_writer.h"
#include "tools/capture/record.h"

namespace {

using namespace zpost;           // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::capture;  // NOLINT(google-build-using-namespace): the same.

constexpr std::size_t kMostUnpacked = 1 << 20;  // A few bytes can be packed gigabytes.

void require(bool claim) {
  if (!claim) std::abort();
}

bool lies_within(Bytes part, Bytes whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

ByteBuffer unpacked(Bytes bytes) {
  MemorySource packed(bytes);
  const auto source = make_unpacking_source(packed);
  ByteBuffer all;
  std::byte room[4096];
  while (all.size() < kMostUnpacked) {
    const std::size_t got = source->read(room);
    if (got == 0) break;
    require(got <= sizeof room);
    all.insert(all.end(), room, room + got);
  }
  return all;
}

void check_rewriting(const Record& record) {
  ByteBuffer packet;
  append_packet_data(packet, record);
  ByteBuffer file;
  append_section(file, {});
  append_packet(file, record.record.time_ns, packet, record.record.missed, "");
  MemorySource source(file);
  PcapngReader reader(source);
  Packet read;
  const Result<bool> more = reader.next(read);
  require(more.has_value() && *more && read.time_ns == record.record.time_ns);
  require(read.missed == record.record.missed && strip_tags(read.data));
  const Result<Record> again = read_record(read.data);
  require(again.has_value() && again->from == record.from && again->to == record.to);
  require(as_text(again->shown) == as_text(record.shown) && again->redacted == record.redacted);
}

void read_packet(Bytes data) {
  const Bytes whole = data;
  if (!strip_tags(data)) return;
  require(lies_within(data, whole));
  const Result<Record> record = read_record(data);
  if (!record) return require(!record.error().text.empty());
  require(lies_within(record->shown, data) && lies_within(as_bytes(record->from), data));
  check_rewriting(*record);
}

void read_file(Bytes bytes) {
  MemorySource source(bytes);
  PcapngReader reader(source);
  Packet packet;
  std::uint64_t before = 0;
  while (true) {
    const Result<bool> more = reader.next(packet);
    require(reader.offset() >= before && reader.bytes_read() <= bytes.size());
    before = reader.offset();
    if (more && !*more) return;
    if (more) {
      read_packet(packet.data);
      continue;
    }
    require(!more.error().text.empty());
    if (!reader.resume()) return require(reader.bytes_read() == bytes.size());
    require(reader.offset() > before);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = std::as_bytes(std::span(data, size));
  read_file(bytes);
  read_file(unpacked(bytes));
  read_packet(bytes);
  return 0;
}
