#include "peer/cli/edited_terminal.h"

#include <fmt/format.h>
#include <histedit.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "peer/cli/line_layout.h"
#include "peer/cli/shared/palette.h"
#include "peer/cli/shared/text.h"

namespace zpost::cli {
namespace {

constexpr int kHistorySize = 1000;
constexpr char kInvisible = '\1';  // Around what needs no columns, in a prompt.

struct TerminalSize {
  std::size_t columns = 80;
  std::size_t rows = 24;
};

TerminalSize terminal_size() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool has_input() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

bool write_out(std::string_view text) {
  const bool taken = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return std::fflush(stdout) == 0 && taken;
}

/// Moves to the beginning of the line that is `rows` up and clears the screen from there.
std::string clear_from(std::size_t rows) {
  const TerminalSize size = terminal_size();
  if (rows >= size.rows) rows = size.rows - 1;
  return rows == 0 ? "\r\x1b[J" : fmt::format("\r\x1b[{}A\x1b[J", rows);
}

std::wstring as_wide(std::string_view text) {
  std::wstring out;
  while (!text.empty()) out += static_cast<wchar_t>(next_character(text).code);
  return out;
}

std::string as_utf8(std::wstring_view text) {
  std::string out;
  for (const wchar_t character : text) append_utf8(out, static_cast<char32_t>(character));
  return out;
}

}  // namespace

struct EditedTerminal::Callbacks {
  static EditedTerminal& terminal(EditLine* editor) {
    void* data = nullptr;
    ::el_get(editor, EL_CLIENTDATA, &data);
    return *static_cast<EditedTerminal*>(data);
  }

  static char* prompt(EditLine* editor) { return terminal(editor).prompt_.data(); }

  static int get_character(EditLine* editor, wchar_t* character) {
    return terminal(editor).next_character(*character);
  }

  static unsigned char complete(EditLine* editor, int /*key*/) {
    return terminal(editor).complete_word();
  }
};

EditedTerminal::EditedTerminal(std::string history_file) : history_file_(std::move(history_file)) {
  HistEvent event = {};
  history_ = ::history_init();
  ::history(history_, &event, H_SETSIZE, kHistorySize);
  ::history(history_, &event, H_SETUNIQUE, 1);
  if (!history_file_.empty()) ::history(history_, &event, H_LOAD, history_file_.c_str());
  editor_ = ::el_init("zpost-peer", stdin, stdout, stderr);
  ::el_set(editor_, EL_CLIENTDATA, this);
  ::el_set(editor_, EL_SIGNAL, 0);
  ::el_set(editor_, EL_EDITOR, "emacs");
  ::el_set(editor_, EL_HIST, ::history, history_);
  ::el_set(editor_, EL_PROMPT_ESC, &Callbacks::prompt, kInvisible);
  ::el_wset(editor_, EL_GETCFN, &Callbacks::get_character);
  ::el_set(editor_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
  ::el_set(editor_, EL_ADDFN, "zpost-complete", "Complete the word", &Callbacks::complete);
  ::el_set(editor_, EL_BIND, "^I", "zpost-complete", nullptr);
  ::el_source(editor_, nullptr);
}

EditedTerminal::~EditedTerminal() {
  save_history();
  ::el_end(editor_);
  ::history_end(history_);
}

std::optional<std::string> EditedTerminal::read_line(const Wait& wait) {
  wait_ = &wait;
  begun_ = false;
  tabbed_.clear();
  int count = 0;
  // By itself it does that only after the prompt: what is typed in between would be echoed by the
  // terminal, and forgotten by Ctrl-C before anybody could say so.
  ::el_set(editor_, EL_PREP_TERM, 1);
  const wchar_t* const line = ::el_wgets(editor_, &count);
  wait_ = nullptr;
  if (line == nullptr || count <= 0) {
    write_out(clear_from(0));
    return std::nullopt;
  }
  std::wstring_view text(line, static_cast<std::size_t>(count));
  if (text.ends_with(L'\n') || text.ends_with(L'\r')) text.remove_suffix(1);
  erase_accepted(text);
  std::string typed = as_utf8(text);
  remember(typed);
  return typed;
}

/// libedit's way to get a character: 1 with it, 0 at the end.
int EditedTerminal::next_character(wchar_t& character) {
  const bool typed_before = !std::exchange(begun_, true) && has_input();
  for (;;) {
    if (!(*wait_)()) {
      erase();
      return 0;
    }
    char byte = 0;
    const ssize_t count = ::read(STDIN_FILENO, &byte, 1);
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0) return 0;
    // Between two lines the terminal is in its own mode, which turns Ctrl-D into this.
    if (byte == '\0' && typed_before) byte = '\x04';
    const bool continues = (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
    if (!continues) partial_.clear();  // What was begun has no end.
    partial_ += byte;
    if (partial_.size() < utf8_length(partial_.front())) continue;
    std::string_view rest = partial_;
    const Character whole = cli::next_character(rest);
    partial_.clear();
    if (!whole.valid) continue;
    character = static_cast<wchar_t>(whole.code);
    return 1;
  }
}

/// For the Tab key. Says what libedit has to draw.
unsigned char EditedTerminal::complete_word() {
  const LineInfoW* const line = ::el_wline(editor_);
  const std::wstring before(line->buffer, line->cursor);
  // In what is pasted a Tab is a Tab. Commands are short, and typed ahead when the line is slow.
  if (!before.starts_with(L'/') && has_input()) {
    ::el_winsertstr(editor_, L"\t");
    return CC_REFRESH;
  }
  const Completion completion = completer_ ? completer_(as_utf8(before)) : Completion();
  if (!completion.inserted.empty()) {
    ::el_winsertstr(editor_, as_wide(completion.inserted).c_str());
    return CC_REFRESH;
  }
  if (completion.choices.empty()) return CC_ERROR;
  const bool again = tabbed_ == before;
  tabbed_ = before;
  if (!again) return CC_ERROR;  // It rings.
  (void)print(in_columns(completion.choices, columns()));
  return CC_NORM;
}

bool EditedTerminal::print(std::string_view text) {
  if (wait_ == nullptr) return write_out(text);
  erase();
  const bool shown = write_out(text);
  refresh();
  return shown;
}

void EditedTerminal::set_prompt(const std::string& prompt) {
  if (wait_ != nullptr) erase();
  prompt_columns_ = prompt.size() + 1;
  prompt_ = wants_colour(STDOUT_FILENO)
                ? fmt::format("{0}\x1b[1m{0}{1}{0}\x1b[0m{0} ", kInvisible, prompt)
                : prompt + " ";
  if (wait_ != nullptr) refresh();
}

std::size_t EditedTerminal::columns() const {
  return terminal_size().columns;
}

bool EditedTerminal::discard_input() {
  const LineInfoW* const line = ::el_wline(editor_);
  if (wait_ == nullptr || line->lastchar == line->buffer) return false;
  erase();
  // It does not replace a text by none (el_wreplacestr); it deletes what stands before the cursor.
  ::el_cursor(editor_, static_cast<int>(line->lastchar - line->cursor));
  ::el_wdeletestr(editor_, static_cast<int>(line->lastchar - line->buffer));
  refresh();
  return true;
}

void EditedTerminal::redraw() {
  if (wait_ == nullptr) return;
  erase();
  ::el_set(editor_, EL_PREP_TERM, 0);  // Whoever stopped us may have changed the terminal's mode.
  ::el_set(editor_, EL_PREP_TERM, 1);
  ::el_resize(editor_);
  refresh();
}

void EditedTerminal::erase() {
  const LineInfoW* const line = ::el_wline(editor_);
  const std::wstring_view before(line->buffer,
                                 static_cast<std::size_t>(line->cursor - line->buffer));
  write_out(clear_from(rows_above_cursor(prompt_columns_, before, terminal_size().columns)));
}

void EditedTerminal::erase_accepted(std::wstring_view line) {
  write_out(clear_from(rows_above_cursor(prompt_columns_, line, terminal_size().columns) + 1));
}

void EditedTerminal::refresh() {
  ::el_set(editor_, EL_REFRESH);
}

void EditedTerminal::remember(const std::string& line) {
  HistEvent event = {};
  if (line.find_first_not_of(" \t") == std::string::npos) return;
  ::history(history_, &event, H_ENTER, line.c_str());
}

void EditedTerminal::save_history() {
  if (history_file_.empty()) return;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(history_file_).parent_path(), error);
  HistEvent event = {};
  const mode_t mask = ::umask(077);  // What people say to each other is theirs.
  ::history(history_, &event, H_SAVE, history_file_.c_str());
  ::umask(mask);
}

std::string history_path() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return std::string(state) + "/zpost/chat_history";
  const char* const home = std::getenv("HOME");
  if (home == nullptr || *home != '/') return "";
  return std::string(home) + "/.local/state/zpost/chat_history";
}

}  // namespace zpost::cli
