#include "tools/inspect/capture_writer.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "peer/cli/shared/units.h"
#include "tools/capture/record.h"
#include "tools/inspect/tail_json.h"

namespace zpost::inspect {
namespace {

constexpr std::uint64_t kNsOfMs = 1'000'000;

std::string_view without_compression(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  if (path.ends_with(".zst")) path.remove_suffix(4);
  return path;
}

std::uint64_t nanoseconds(std::chrono::milliseconds time) {
  return static_cast<std::uint64_t>(time.count()) * kNsOfMs;
}

std::string missed_text(std::uint64_t missed) {
  return missed == 0 ? ""
                     : fmt::format("{} missed before this one", cli::counted(missed, "record"));
}

}  // namespace

CaptureFormat format_of(std::string_view path) {
  path = without_compression(path);
  const bool json = path.ends_with(".json") || path.ends_with(".jsonl");
  return json ? CaptureFormat::kJson : CaptureFormat::kPcapng;
}

std::string part_path(const std::string& path, std::uint64_t number, std::uint64_t time_ns) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  const std::string_view plain = without_compression(path);
  const std::size_t folder = plain.rfind('/') == std::string::npos ? 0 : plain.rfind('/') + 1;
  std::size_t stem = plain.rfind('.');
  if (stem == std::string::npos || stem <= folder) stem = plain.size();
  const std::tm utc = fmt::gmtime(static_cast<std::time_t>(time_ns / kNsPerSecond));
  return fmt::format("{}_{:05}_{:%Y%m%dT%H%M%S}{}", path.substr(0, stem), number, utc,
                     path.substr(stem));
}

void CaptureWriter::keep_comments(const std::vector<std::string>& earlier) {
  std::vector<std::string> all = earlier;
  for (std::string& each : plan_.comments) {
    if (std::ranges::find(all, each) == all.end()) all.push_back(std::move(each));
  }
  plan_.comments = std::move(all);
}

Result<void> CaptureWriter::open(std::uint64_t now_ns) {
  flushed_ns_ = now_ns;
  return begin_file(now_ns);
}

Result<void> CaptureWriter::add(const TapEntry& entry, bool redacted, std::uint64_t now_ns) {
  if (is_full(now_ns)) {
    if (const auto ended = end_file(now_ns); !ended) return ended;
    if (const auto begun = begin_file(now_ns); !begun) return begun;
  }
  for (capture::Totals* totals : {&totals_, &file_totals_}) {
    totals->records += 1;
    totals->missed += entry.missed;
  }
  if (plan_.format == CaptureFormat::kJson) {
    stage_lines(entry, redacted);
  } else {
    stage_packet(entry, redacted);
  }
  return staged_.size() < kWriteAtOnce ? Result<void>() : write_staged();
}

Result<void> CaptureWriter::turn(std::uint64_t now_ns) {
  if (now_ns < flushed_ns_ + nanoseconds(kFlushEvery)) return {};
  flushed_ns_ = now_ns;
  if (const auto written = write_staged(); !written) return written;
  if (const auto flushed = sink_.flush(); !flushed) return flushed;
  written_ = totals_.records;
  return {};
}

Result<void> CaptureWriter::finish(std::uint64_t now_ns) {
  return end_file(now_ns);
}

bool CaptureWriter::is_full(std::uint64_t now_ns) const {
  if (file_totals_.records == 0) return false;
  if (plan_.file_records > 0 && file_totals_.records >= plan_.file_records) return true;
  if (plan_.file_bytes > 0 && sink_.bytes() + staged_.size() >= plan_.file_bytes) return true;
  return plan_.file_time.count() > 0 && now_ns >= began_ns_ + nanoseconds(plan_.file_time);
}

Result<void> CaptureWriter::begin_file(std::uint64_t now_ns) {
  ++part_;
  began_ns_ = now_ns;
  file_totals_ = {};
  const std::string path = plan_.has_parts() ? part_path(plan_.path, part_, now_ns) : plan_.path;
  earlier_bytes_ += sink_.bytes();
  if (const auto opened = sink_.open(path, plan_.compression); !opened) return opened;
  paths_.push_back(path);
  if (plan_.ring_files > 0 && paths_.size() > plan_.ring_files) {
    std::remove(paths_.front().c_str());
    paths_.pop_front();
  }
  if (plan_.ring_files == 0) paths_.clear();
  if (plan_.format == CaptureFormat::kJson) return {};
  capture::SectionText text{.program = plan_.program, .comments = {}, .source = plan_.source};
  text.comments.assign(plan_.comments.begin(), plan_.comments.end());
  capture::append_section(staged_, text);
  return {};
}

Result<void> CaptureWriter::end_file(std::uint64_t now_ns) {
  if (!sink_.is_open()) return {};
  if (plan_.format == CaptureFormat::kPcapng) {
    const std::string words =
        fmt::format("{} captured, {} missed", cli::counted(file_totals_.records, "record"),
                    file_totals_.missed == 0 ? "none" : cli::count_text(file_totals_.missed));
    capture::append_statistics(staged_, now_ns, file_totals_, words);
  }
  if (const auto written = write_staged(); !written) return written;
  if (const auto closed = sink_.close(); !closed) return closed;
  written_ = totals_.records;
  return {};
}

Result<void> CaptureWriter::write_staged() {
  const auto written = sink_.write(staged_);
  staged_.clear();
  if (written && plan_.compression == capture::Compression::kNone) written_ = totals_.records;
  return written;
}

void CaptureWriter::stage_packet(const TapEntry& entry, bool redacted) {
  data_.clear();
  capture::append_packet_data(data_, {.record = entry.record,
                                      .from = entry.from,
                                      .to = entry.to,
                                      .shown = entry.shown,
                                      .redacted = redacted});
  capture::append_packet(staged_, entry.record.time_ns, data_, entry.missed,
                         missed_text(entry.missed));
}

void CaptureWriter::stage_lines(const TapEntry& entry, bool redacted) {
  lines_.clear();
  append_lines(entry, lines_);
  for (TailLine& line : lines_) {
    (void)completer_.wants(line);
    line.redacted = redacted;
    const std::string text = tail_json(line);
    const Bytes bytes = as_bytes(text);
    staged_.insert(staged_.end(), bytes.begin(), bytes.end());
  }
}

}  // namespace zpost::inspect
