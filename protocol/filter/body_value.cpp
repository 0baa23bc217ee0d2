#include "protocol/filter/body_value.h"

#include <charconv>
#include <exception>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>

#include "protocol/filter/body_form.h"
#include "protocol/filter/path_seeker.h"

namespace zpost::filter {

namespace {

/// Joins nlohmann's reader to the seeker. Names and signatures are that library's.
class JsonEvents {
 public:
  using Json = nlohmann::json;

  explicit JsonEvents(PathSeeker& seeker) : seeker_(seeker) {}

  bool null() { return seeker_.scalar(nullptr); }

  bool boolean(bool value) { return seeker_.scalar(value); }

  bool number_integer(Json::number_integer_t value) { return seeker_.scalar(std::int64_t{value}); }

  bool number_unsigned(Json::number_unsigned_t value) {
    return seeker_.scalar(std::uint64_t{value});
  }

  bool number_float(Json::number_float_t value, const std::string& /*text*/) {
    return seeker_.scalar(value);
  }

  bool string(const std::string& value) { return seeker_.scalar(std::string_view(value)); }

  bool binary(const Json::binary_t& /*value*/) { return seeker_.scalar(Nested{}); }

  bool start_object(std::size_t /*size*/) { return seeker_.begin_map(); }

  bool key(const std::string& name) { return seeker_.key(name); }

  bool end_object() { return seeker_.end(); }

  bool start_array(std::size_t /*size*/) { return seeker_.begin_array(); }

  bool end_array() { return seeker_.end(); }

  static bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                          const std::exception& /*error*/) {
    return false;
  }

 private:
  PathSeeker& seeker_;
};

/// Joins msgpack's reader to the seeker. A key is itself a value, of any type: only text counts,
/// and what else a key holds is passed over.
class MsgpackEvents : public msgpack::null_visitor {
 public:
  explicit MsgpackEvents(PathSeeker& seeker) : seeker_(seeker) {}

  bool visit_nil() { return value(nullptr); }

  bool visit_boolean(bool is_true) { return value(is_true); }

  bool visit_positive_integer(std::uint64_t number) { return value(number); }

  bool visit_negative_integer(std::int64_t number) { return value(number); }

  bool visit_float32(float number) { return value(static_cast<double>(number)); }

  bool visit_float64(double number) { return value(number); }

  bool visit_str(const char* text, std::uint32_t size) {
    if (key_depth_ == 1 && !inside_key_) return is_text_ = true, seeker_.key({text, size});
    return value(std::string_view(text, size));
  }

  bool visit_bin(const char* bytes, std::uint32_t size) {
    return value(std::string_view(bytes, size));
  }

  bool visit_ext(const char* /*bytes*/, std::uint32_t /*size*/) { return value(Nested{}); }

  bool start_array(std::uint32_t /*count*/) { return begin(&PathSeeker::begin_array); }

  bool end_array() { return end(); }

  bool start_map(std::uint32_t /*count*/) { return begin(&PathSeeker::begin_map); }

  bool end_map() { return end(); }

  bool start_map_key() {
    if (inside_key_) return true;
    key_depth_ = 1;
    is_text_ = false;
    return true;
  }

  bool end_map_key() {
    if (inside_key_) return true;
    if (!is_text_) seeker_.nameless_key();
    key_depth_ = 0;
    return true;
  }

  static void parse_error(std::size_t /*parsed*/, std::size_t /*at*/) {}

  static void insufficient_bytes(std::size_t /*parsed*/, std::size_t /*at*/) {}

 private:
  bool value(const BodyValue& value) { return key_depth_ > 0 || seeker_.scalar(value); }

  bool begin(bool (PathSeeker::*tell)()) {
    if (key_depth_ == 0) return (seeker_.*tell)();
    inside_key_ = true;
    return ++key_depth_ <= kMaxBodyDepth;
  }

  bool end() {
    if (key_depth_ == 0) return seeker_.end();
    inside_key_ = --key_depth_ > 1;
    return true;
  }

  PathSeeker& seeker_;
  std::size_t key_depth_ = 0;  // 0: not in a key; more than 1: in an array or map that is one.
  bool inside_key_ = false;
  bool is_text_ = false;  // The key.
};

void seek_in_json(Bytes body, PathSeeker& seeker) {
  JsonEvents events(seeker);
  const std::string_view text = as_text(body);
  (void)nlohmann::json::sax_parse(text.begin(), text.end(), &events);
}

void seek_in_msgpack(Bytes body, PathSeeker& seeker) {
  MsgpackEvents events(seeker);
  try {
    std::size_t offset = 0;
    (void)msgpack::parse(reinterpret_cast<const char*>(body.data()), body.size(), offset, events);
  } catch (const std::exception&) {
    // No msgpack: what was found before stands.
  }
}

/// Keeps arrays and maps away from who wants the body as a whole.
class OneValue : public BodyVisitor {
 public:
  explicit OneValue(BodyVisitor& next) : next_(next) {}

  void visit(const BodyValue& value) override {
    if (std::holds_alternative<Nested>(value)) return;
    shown_ = true;
    next_.visit(value);
  }

  [[nodiscard]] bool shown() const { return shown_; }

 private:
  BodyVisitor& next_;
  bool shown_ = false;
};

Found find_whole(const ShownEnvelope& envelope, BodyForm form, BodyVisitor& visitor) {
  OneValue value(visitor);
  const BodyPath itself;
  PathSeeker seeker(itself, value);
  if (form == BodyForm::kMsgpack && !envelope.cut) seek_in_msgpack(envelope.body, seeker);
  if (form == BodyForm::kJson && !envelope.cut) seek_in_json(envelope.body, seeker);
  if (value.shown()) return Found::kThere;
  visitor.visit(as_text(envelope.body));
  return Found::kThere;
}

}  // namespace

Found find_in_body(const ShownEnvelope& envelope, const BodyPath& path, BodyVisitor& visitor) {
  const BodyForm form = guess_form(envelope.body, envelope.body_is_text, envelope.content_type);
  if (path.empty()) return find_whole(envelope, form, visitor);
  PathSeeker seeker(path, visitor);
  if (form == BodyForm::kJson) seek_in_json(envelope.body, seeker);
  if (form == BodyForm::kMsgpack) seek_in_msgpack(envelope.body, seeker);
  if (seeker.found()) return Found::kThere;
  return envelope.cut && !seeker.absent() ? Found::kUndecided : Found::kAbsent;
}

}  // namespace zpost::filter
