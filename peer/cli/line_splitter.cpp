#include "peer/cli/line_splitter.h"

namespace zpost::cli {

void LineSplitter::add(std::string_view bytes, std::vector<std::string_view>& lines) {
  lines.clear();
  buffer_.erase(0, used_);
  used_ = 0;
  if (skipping_) {
    const std::size_t feed = bytes.find('\n');
    if (feed == std::string_view::npos) return;
    bytes.remove_prefix(feed + 1);
    skipping_ = false;
  }
  std::size_t search = buffer_.size();  // What was here before has no line feed.
  buffer_ += bytes;
  const std::string_view all = buffer_;
  for (std::size_t end = 0; (end = all.find('\n', search)) != std::string_view::npos;) {
    lines.push_back(all.substr(used_, end - used_));
    used_ = search = end + 1;
  }
}

void LineSplitter::skip_line() {
  buffer_.resize(used_);
  skipping_ = true;
}

void LineSplitter::finish(std::vector<std::string_view>& lines) {
  lines.clear();
  if (open_bytes() == 0) return;
  lines.push_back(std::string_view(buffer_).substr(used_));
  used_ = buffer_.size();
}

}  // namespace zpost::cli
