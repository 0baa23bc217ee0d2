#include "tools/inspect/json_lines_reader.h"

#include <fmt/format.h>

#include <span>
#include <utility>

#include "tools/inspect/json_record.h"

namespace zpost::inspect {

Result<bool> JsonLinesReader::next() {
  if (behind_) {
    entry_ = *std::exchange(behind_, std::nullopt);
    return true;
  }
  std::string_view line;
  while (true) {
    Result<bool> more = next_line(line);
    if (!more) return more;
    if (!*more && !missed_) return false;
    if (!*more) {
      entry_ = *std::exchange(missed_, std::nullopt);
      return true;
    }
    Result<bool> told = take(line);
    if (!told || *told) return told;
  }
}

/// False: there is nothing to tell yet.
Result<bool> JsonLinesReader::take(std::string_view line) {
  Result<JsonRecord> record = record_from_json(line, shown_);
  if (!record) {
    const bool is_cut = ended_ && consumed_ == line.size();
    return Error{record.error().code, is_cut ? "the last line is cut" : record.error().text};
  }
  TapEntry& entry = record->entry;
  redacted_ = record->redacted;
  entry.shown = shown_;
  std::optional<TapEntry> missed = std::exchange(missed_, std::nullopt);
  if (entry.record.event == TapEvent::kMissed) {
    missed_ = std::move(entry);
    if (!missed) return false;
    entry_ = *std::move(missed);
    return true;
  }
  if (missed && missed->record.sequence != entry.record.sequence) {
    behind_ = std::move(entry);
    entry_ = *std::move(missed);
    return true;
  }
  if (missed) entry.missed = entry.record.missed = missed->missed;
  entry_ = std::move(entry);
  return true;
}

bool JsonLinesReader::resume() {
  behind_.reset();
  while (true) {
    const std::size_t end = buffer_.find('\n', begin_);
    if (end != std::string::npos) {
      consumed_ = end + 1 - begin_;
      pass_line();
      return begin_ < buffer_.size() || fill();
    }
    offset_ += buffer_.size() - begin_;
    buffer_.clear();
    begin_ = consumed_ = 0;
    if (!fill()) return false;
  }
}

/// Without its line feed. Lines without anything are passed over.
Result<bool> JsonLinesReader::next_line(std::string_view& line) {
  while (true) {
    pass_line();
    std::size_t end = buffer_.find('\n', begin_);
    while (end == std::string::npos && buffer_.size() - begin_ <= kMaxLine && fill()) {
      end = buffer_.find('\n', begin_);
    }
    line = std::string_view(buffer_).substr(begin_, end == std::string::npos ? end : end - begin_);
    if (line.size() > kMaxLine) {
      return Error{Outcome::kTooLarge, fmt::format("a line of more than {} bytes", kMaxLine)};
    }
    if (end == std::string::npos && ended_ && !source_.trouble().empty()) {
      return Error{Outcome::kMalformed, source_.trouble()};
    }
    if (end == std::string::npos && line.empty()) return false;
    consumed_ = line.size() + (end == std::string::npos ? 0 : 1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) return true;
  }
}

bool JsonLinesReader::fill() {
  constexpr std::size_t kAtOnce = 64 << 10;
  if (ended_) return false;
  buffer_.erase(0, std::exchange(begin_, 0));
  const std::size_t kept = buffer_.size();
  buffer_.resize(kept + kAtOnce);
  const std::size_t got =
      source_.read(std::as_writable_bytes(std::span(buffer_.data() + kept, kAtOnce)));
  buffer_.resize(kept + got);
  read_ += got;
  ended_ = got == 0;
  return !ended_;
}

void JsonLinesReader::pass_line() {
  begin_ += consumed_;
  offset_ += std::exchange(consumed_, 0);
}

}  // namespace zpost::inspect
