// One line on stderr that says what is going on. Silent unless stderr is a terminal.
#pragma once

#include <string>

namespace zpost::bench {

class Progress {
 public:
  Progress();
  ~Progress();  // Wipes the line.
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Replaces the line.
  void show(const std::string& line) const;

  /// Wipes the line, so that results can be printed.
  void clear() const;

 private:
  bool visible_;
};

}  // namespace zpost::bench
