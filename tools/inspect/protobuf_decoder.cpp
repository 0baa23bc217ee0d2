#include "tools/inspect/protobuf_decoder.h"

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/type_resolver_util.h>

#include <algorithm>
#include <array>
#include <utility>

#include "peer/cli/shared/json.h"
#include "peer/cli/shared/text.h"
#include "peer/cli/shared/units.h"
#include "protocol/filter/body_form.h"
#include "tools/inspect/patterns.h"
#include "zpost/protocol/names.h"

namespace zpost::inspect {
namespace {

namespace pb = google::protobuf;

constexpr const char* kUrlPrefix = "type.googleapis.com";

/// Keeps the first of what the library complains about: the others follow from it.
class FirstComplaint final : public pb::DescriptorPool::ErrorCollector {
 public:
  void AddError(const std::string& filename, const std::string& element_name,  // NOLINT
                const pb::Message* /*descriptor*/, ErrorLocation /*location*/,
                const std::string& message) override {
    if (text_.empty()) text_ = fmt::format("{}: {}: {}", filename, element_name, message);
  }

  [[nodiscard]] std::string take() { return std::exchange(text_, ""); }

 private:
  std::string text_;
};

std::string_view without_blanks(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool is_same_word(std::string_view a, std::string_view b) {
  constexpr auto kLower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  return std::ranges::equal(a, b, {}, kLower, kLower);
}

bool is_protobuf(std::string_view type) {
  constexpr std::array<std::string_view, 4> kTypes{"application/protobuf", "application/x-protobuf",
                                                   "application/vnd.google.protobuf",
                                                   "application/x-google-protobuf"};
  return std::ranges::find(kTypes, type) != kTypes.end() || type.ends_with("+protobuf");
}

/// Whether a body of such a type may be anything.
bool tells_nothing(std::string_view type) {
  return type.empty() || type == "application/octet-stream" || is_protobuf(type);
}

/// The value of `messageType=lab.Reading`; empty: it is no such parameter.
std::string_view message_of_parameter(std::string_view parameter) {
  constexpr std::array<std::string_view, 3> kNames{"messageType", "type", "proto"};
  const std::size_t sign = parameter.find('=');
  if (sign == std::string_view::npos) return "";
  const std::string_view name = without_blanks(parameter.substr(0, sign));
  if (std::ranges::none_of(kNames, [&](std::string_view each) { return is_same_word(each, name); }))
    return "";
  std::string_view value = without_blanks(parameter.substr(sign + 1));
  if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) {
    value = value.substr(1, value.size() - 2);
  }
  // As the URL of an Any, or fully qualified.
  value.remove_prefix(value.rfind('/') + 1);
  if (value.starts_with('.')) value.remove_prefix(1);
  return value;
}

/// What is odd about a message, found by going through all of it.
class Survey {
 public:
  explicit Survey(pb::DynamicMessageFactory& factory) : factory_(factory) {}

  /// False: nested too deep for anybody to print.
  [[nodiscard]] bool look_at(const pb::Message& message, int depth = 1) {
    if (depth > ProtobufDecoder::kMaxDepth) return false;
    const pb::Reflection& reflection = *message.GetReflection();
    unknown_ += static_cast<std::size_t>(reflection.GetUnknownFields(message).field_count());
    if (message.GetDescriptor()->full_name() == "google.protobuf.Any") {
      return look_into_any(message, depth);
    }
    std::vector<const pb::FieldDescriptor*> fields;
    reflection.ListFields(message, &fields);
    return std::ranges::all_of(fields, [&](const pb::FieldDescriptor* field) {
      return field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE ||
             look_at_field(message, *field, depth + 1);
    });
  }

  [[nodiscard]] std::string remark(const pb::Message& message) const {
    std::string text;
    if (unknown_ > 0) text = cli::counted(unknown_, "unknown field");
    std::vector<std::string> missing;
    message.FindInitializationErrors(&missing);
    if (missing.empty()) return text;
    return text + fmt::format("{}lacks {}", text.empty() ? "" : ", ", fmt::join(missing, ", "));
  }

 private:
  [[nodiscard]] bool look_at_field(const pb::Message& message, const pb::FieldDescriptor& field,
                                   int depth) {
    const pb::Reflection& reflection = *message.GetReflection();
    if (!field.is_repeated()) return look_at(reflection.GetMessage(message, &field), depth);
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      if (!look_at(reflection.GetRepeatedMessage(message, &field, i), depth)) return false;
    }
    return true;
  }

  /// What prints an Any does not count how deep they are inside each other.
  [[nodiscard]] bool look_into_any(const pb::Message& any, int depth) {
    const pb::Descriptor& type = *any.GetDescriptor();
    const pb::FieldDescriptor* const url = type.FindFieldByNumber(1);
    const pb::FieldDescriptor* const value = type.FindFieldByNumber(2);
    if (url == nullptr || value == nullptr ||
        url->cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING ||
        value->cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING || url->is_repeated() ||
        value->is_repeated()) {
      return false;
    }
    const std::string name = any.GetReflection()->GetString(any, url);
    const pb::Descriptor* const inner =
        type.file()->pool()->FindMessageTypeByName(name.substr(name.rfind('/') + 1));
    if (inner == nullptr) return true;
    const std::unique_ptr<pb::Message> message(factory_.GetPrototype(inner)->New());
    // What cannot be parsed ends the printing, too.
    return !message->ParsePartialFromString(any.GetReflection()->GetString(any, value)) ||
           look_at(*message, depth + 1);
  }

  pb::DynamicMessageFactory& factory_;
  std::size_t unknown_ = 0;
};

bool parse(Bytes body, pb::Message& message) {
  const std::string_view text = as_text(body);
  pb::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(text.data()),
                              static_cast<int>(text.size()));
  in.SetRecursionLimit(ProtobufDecoder::kMaxDepth);
  return message.MergePartialFromCodedStream(&in) && in.ConsumedEntireMessage();
}

}  // namespace

/// The descriptors of all sets together.
class ProtobufDecoder::Messages {
 public:
  // What its callers need to know is in the results.
  Messages() { pb::SetLogHandler(nullptr); }

  [[nodiscard]] Result<void> add(std::string_view bytes, const std::string& source) {
    pb::FileDescriptorSet set;
    const bool is_set = set.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
                        set.file_size() > 0 && set.unknown_fields().empty() &&
                        std::ranges::all_of(set.file(), [](const pb::FileDescriptorProto& file) {
                          return !file.name().empty();
                        });
    if (!is_set) {
      return Error{Outcome::kNone,
                   fmt::format("{} is no descriptor set; protoc --include_imports "
                               "--descriptor_set_out={} makes one of .proto files",
                               source, source.ends_with(".proto") ? "FILE.desc" : source)};
    }
    for (const pb::FileDescriptorProto& file : set.file()) {
      if (!add_file(file)) {
        return Error{Outcome::kNone,
                     fmt::format("{} has another {} than a descriptor set before it", source,
                                 cli::visible_line(file.name()))};
      }
    }
    is_empty_ = false;
    return check(set, source);
  }

  [[nodiscard]] bool is_empty() const { return is_empty_; }

  [[nodiscard]] const pb::Descriptor* find(std::string_view name) const {
    return pool_.FindMessageTypeByName(std::string(name));
  }

  /// "lab.Reading, lab.Command and 3 more".
  [[nodiscard]] std::string names() const {
    constexpr std::size_t kShown = 8;
    std::vector<std::string> names;
    database_.FindAllMessageNames(&names);
    std::erase_if(names, [](const std::string& n) { return n.starts_with("google.protobuf."); });
    std::ranges::sort(names);
    const std::size_t more = names.size() - std::min(names.size(), kShown);
    names.resize(names.size() - more);
    if (names.empty()) return "no message";
    return fmt::format("{}{}", cli::visible_line(fmt::format("{}", fmt::join(names, ", "))),
                       more == 0 ? "" : fmt::format(" and {} more", more));
  }

  /// Completes `body`, whose message is known by name.
  void read(const pb::Descriptor& type, Bytes bytes, ProtobufBody& body) {
    const std::unique_ptr<pb::Message> message(factory_.GetPrototype(&type)->New());
    if (!parse(bytes, *message)) {
      body.fault = fmt::format("not {}", body.message);
      return;
    }
    Survey survey(factory_);
    if (!survey.look_at(*message)) {
      body.fault = fmt::format("{} nested deeper than {}", body.message, kMaxDepth);
      return;
    }
    pb::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    std::string json;
    // Of the bytes, not of the message: one that lacks something required must be shown as well.
    const std::string text(as_text(bytes));
    const auto printed = pb::util::BinaryToJsonString(
        resolver_.get(), fmt::format("{}/{}", kUrlPrefix, type.full_name()), text, &json, options);
    cli::Json value = cli::Json::parse(json, nullptr, false);
    if (!printed.ok() || value.is_discarded()) {
      body.fault =
          fmt::format("{} that cannot be printed: {}", body.message, printed.message().ToString());
      return;
    }
    // Printed once more: the library escapes what needs none.
    body.json = value.dump(-1, ' ', false, cli::Json::error_handler_t::replace);
    body.remark = survey.remark(*message);
  }

 private:
  /// False: there is another file of that name.
  [[nodiscard]] bool add_file(const pb::FileDescriptorProto& file) {
    pb::FileDescriptorProto known;
    if (!database_.FindFileByName(file.name(), &known)) return database_.Add(file);
    return known.SerializeAsString() == file.SerializeAsString();
  }

  /// Whether all of the set's files make sense: messages are looked for much later.
  [[nodiscard]] Result<void> check(const pb::FileDescriptorSet& set, const std::string& source) {
    for (const pb::FileDescriptorProto& file : set.file()) {
      pb::FileDescriptorProto unused;
      for (const std::string& import : file.dependency()) {
        if (database_.FindFileByName(import, &unused)) continue;
        return Error{
            Outcome::kNone,
            fmt::format("{} lacks {}, which {} imports; protoc --include_imports puts it "
                        "there",
                        source, cli::visible_line(import), cli::visible_line(file.name()))};
      }
      if (pool_.FindFileByName(file.name()) == nullptr) {
        return Error{Outcome::kNone, fmt::format("{} contradicts itself: {}", source,
                                                 cli::visible_line(complaints_.take()))};
      }
    }
    return {};
  }

  bool is_empty_ = true;
  mutable pb::SimpleDescriptorDatabase database_;
  FirstComplaint complaints_;
  pb::DescriptorPool pool_{&database_, &complaints_};
  pb::DynamicMessageFactory factory_{&pool_};
  std::unique_ptr<pb::util::TypeResolver> resolver_{
      pb::util::NewTypeResolverForDescriptorPool(kUrlPrefix, &pool_)};
};

ProtobufDecoder::ProtobufDecoder() : messages_(std::make_unique<Messages>()) {}

ProtobufDecoder::~ProtobufDecoder() = default;

Result<void> ProtobufDecoder::add_descriptors(std::string_view bytes, const std::string& source) {
  return messages_->add(bytes, source);
}

Result<void> ProtobufDecoder::add_rule(std::string_view text) {
  const std::size_t sign = text.find('=');
  if (sign == std::string_view::npos || sign == 0 || sign + 1 == text.size()) {
    return Error{Outcome::kNone,
                 fmt::format("\"{}\" is not PATTERN=MESSAGE, such as lab/*/temp=lab.Reading",
                             cli::visible_line(text))};
  }
  Rule rule{std::string(text.substr(0, sign)), std::string(text.substr(sign + 1))};
  if (std::string wrong = check_target_pattern(rule.pattern); !wrong.empty()) {
    return Error{Outcome::kNone, std::move(wrong)};
  }
  if (messages_->find(rule.message) == nullptr) {
    return Error{Outcome::kNone, fmt::format("no descriptor set has a message \"{}\"; there are {}",
                                             cli::visible_line(rule.message), messages_->names())};
  }
  rules_.push_back(std::move(rule));
  return {};
}

std::optional<ProtobufBody> ProtobufDecoder::decode(const ShownEnvelope& envelope,
                                                    std::string_view to) const {
  const std::optional<std::string_view> named = protobuf_message_of(envelope.content_type);
  if (messages_->is_empty()) return std::nullopt;
  ProtobufBody body;
  if (named) body.message = *named;
  if (body.message.empty() && tells_nothing(media_type(envelope.content_type))) {
    const auto rule = std::ranges::find_if(
        rules_, [&](const Rule& each) { return matches_target(each.pattern, to); });
    if (rule != rules_.end()) body.message = rule->message;
  }
  if (body.message.empty() && !named) return std::nullopt;
  if (body.message.empty()) {
    body.fault = "protobuf of an unnamed message (see --proto-type)";
    return body;
  }
  const pb::Descriptor* const type = messages_->find(body.message);
  if (type == nullptr) {
    body.fault = fmt::format("protobuf of {}, which no descriptor set has", body.message);
  } else if (envelope.cut) {
    body.fault = fmt::format("{}, cut (see --snap)", body.message);
  } else {
    messages_->read(*type, envelope.body, body);
  }
  return body;
}

std::optional<std::string_view> protobuf_message_of(std::string_view content_type) {
  if (!is_protobuf(media_type(content_type))) return std::nullopt;
  std::string_view rest =
      content_type.substr(std::min(content_type.find(';'), content_type.size()));
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view message = message_of_parameter(rest.substr(0, end));
    if (!message.empty()) return message;
    rest.remove_prefix(end);
  }
  return "";
}

}  // namespace zpost::inspect
