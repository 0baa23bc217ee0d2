// Any bytes as a protobuf body, and any bytes as a descriptor set. Of the input the first byte says
// how long the set is, in steps of 16 bytes; 0: the one of this file. What follows is the body.
//
// Beyond crashes: what is read or wrong is said in words that move no terminal's cursor, and JSON
// is JSON.
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "peer/cli/shared/json.h"
#include "tools/inspect/protobuf_decoder.h"
#include "zpost/protocol/names.h"

namespace {

using namespace zpost;           // NOLINT(google-build-using-namespace): a program of one file.
using namespace zpost::inspect;  // NOLINT(google-build-using-namespace)

using google::protobuf::FieldDescriptorProto;

void require(bool claim) {
  if (!claim) std::abort();
}

void require_harmless(const std::string& text) {
  require(is_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
}

/// A message with a field of each type, twice: once, and repeated; and a map of itself.
std::string own_descriptors() {
  google::protobuf::FileDescriptorSet set;
  google::protobuf::FileDescriptorProto& file = *set.add_file();
  file.set_name("lab.proto");
  file.set_package("lab");
  google::protobuf::DescriptorProto& message = *file.add_message_type();
  message.set_name("Reading");
  message.add_extension_range()->set_start(100);
  message.mutable_extension_range(0)->set_end(200);
  google::protobuf::EnumDescriptorProto& colour = *message.add_enum_type();
  colour.set_name("Colour");
  colour.add_value()->set_name("RED");
  colour.mutable_value(0)->set_number(1);
  for (int type = 1; type <= google::protobuf::FieldDescriptor::MAX_TYPE; ++type) {
    for (const bool is_repeated : {false, true}) {
      FieldDescriptorProto& field = *message.add_field();
      field.set_name((is_repeated ? "many_" : "one_") + std::to_string(type));
      field.set_number(message.field_size());
      field.set_type(static_cast<FieldDescriptorProto::Type>(type));
      field.set_label(is_repeated ? FieldDescriptorProto::LABEL_REPEATED
                                  : FieldDescriptorProto::LABEL_OPTIONAL);
      if (type == FieldDescriptorProto::TYPE_ENUM) field.set_type_name(".lab.Reading.Colour");
      if (type == FieldDescriptorProto::TYPE_MESSAGE || type == FieldDescriptorProto::TYPE_GROUP) {
        field.set_type_name(".lab.Reading");
      }
    }
  }
  return set.SerializeAsString();
}

/// The first message of a set; empty: it has none.
std::string first_message(std::string_view bytes) {
  google::protobuf::FileDescriptorSet set;
  (void)set.ParsePartialFromArray(bytes.data(), static_cast<int>(bytes.size()));
  for (const auto& file : set.file()) {
    if (file.message_type_size() == 0) continue;
    const std::string& name = file.message_type(0).name();
    return file.package().empty() ? name : file.package() + "." + name;
  }
  return "";
}

void decode(const ProtobufDecoder& decoder, const std::string& message, Bytes body) {
  const std::string type = "application/x-protobuf; messageType=\"" + message + "\"";
  for (const bool cut : {false, true}) {
    const ShownEnvelope envelope{.content_type = type, .body = body, .cut = cut};
    const std::optional<ProtobufBody> decoded = decoder.decode(envelope, "bob");
    if (!decoded) continue;
    require(decoded->fault.empty() != decoded->json.empty());
    require(decoded->json.empty() || cli::Json::accept(decoded->json));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The library's own words go to standard error.
  static const bool is_quiet = (google::protobuf::SetLogHandler(nullptr), true);
  require(is_quiet);
  if (size == 0) return 0;
  const std::string_view all = as_text(std::as_bytes(std::span(data + 1, size - 1)));
  const std::size_t length = std::min<std::size_t>(data[0] * std::size_t{16}, all.size());
  static const std::string own = own_descriptors();
  const std::string_view set = length == 0 ? std::string_view(own) : all.substr(0, length);
  ProtobufDecoder decoder;
  if (const Result<void> added = decoder.add_descriptors(set, "set"); !added) {
    require_harmless(added.error().text);
    require(!added.error().text.empty());
    return 0;
  }
  const std::string message = first_message(set);
  if (message.empty()) return 0;
  decode(decoder, message, as_bytes(all.substr(length)));
  if (const Result<void> added = decoder.add_rule("bob=" + message); !added) {
    require_harmless(added.error().text);
  }
  return 0;
}
