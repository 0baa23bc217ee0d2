#include "tools/inspect/redacted_fields.h"

#include <algorithm>
#include <msgpack.hpp>
#include <nlohmann/json.hpp>
#include <span>

namespace zpost::inspect {
namespace {

using Json = nlohmann::ordered_json;
using Rest = std::span<const std::string>;  // Of a path: never empty.
using Rests = std::vector<Rest>;

constexpr std::size_t kMostNesting = 64;

/// What follows where the value of `key` is entered. `ends`: a path ends there.
Rests redacted_below(const Rests& rests, std::string_view key, bool& ends) {
  Rests inner;
  ends = false;
  for (const Rest& rest : rests) {
    if (rest.front() != "*" && rest.front() != key) continue;
    if (rest.size() == 1) ends = true;
    if (rest.size() > 1) inner.push_back(rest.subspan(1));
  }
  return inner;
}

/// Counts brackets within strings as well, so it may say more than there is.
std::size_t json_nesting(std::string_view text) {
  std::size_t deepest = 0;
  std::size_t depth = 0;
  for (const char each : text) {
    if (each == '[' || each == '{') deepest = std::max(deepest, ++depth);
    if ((each == ']' || each == '}') && depth > 0) --depth;
  }
  return deepest;
}

bool redact(Json& value, const Rests& rests, std::string_view marker) {
  bool changed = false;
  if (rests.empty()) return false;
  if (value.is_array()) {
    for (Json& element : value) changed |= redact(element, rests, marker);
    return changed;
  }
  if (!value.is_object()) return false;
  for (auto& [key, inner] : value.items()) {
    bool ends = false;
    const Rests deeper = redacted_below(rests, key, ends);
    if (ends) inner = marker;
    changed |= ends || redact(inner, deeper, marker);
  }
  return changed;
}

/// Appends to a ByteBuffer as msgpack's packer wants it.
struct PackTarget {
  ByteBuffer& out;

  void write(const char* data, std::size_t size) {
    const Bytes bytes = as_bytes({data, size});
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
};

class MsgpackRedactor {
 public:
  MsgpackRedactor(std::string_view marker, ByteBuffer& out)
      : marker_(marker), target_{out}, packer_(target_) {}

  void pack(const msgpack::object& value, const Rests& rests) {
    if (rests.empty()) {
      packer_.pack(value);
    } else if (value.type == msgpack::type::ARRAY) {
      packer_.pack_array(value.via.array.size);
      for (const msgpack::object& each : std::span(value.via.array.ptr, value.via.array.size)) {
        pack(each, rests);
      }
    } else if (value.type == msgpack::type::MAP) {
      pack_map(value.via.map, rests);
    } else {
      packer_.pack(value);
    }
  }

  [[nodiscard]] bool changed() const { return changed_; }

 private:
  void pack_map(const msgpack::object_map& map, const Rests& rests) {
    packer_.pack_map(map.size);
    for (const msgpack::object_kv& entry : std::span(map.ptr, map.size)) {
      packer_.pack(entry.key);
      bool ends = false;
      const Rests deeper = redacted_below(rests, key_text(entry.key), ends);
      if (ends) {
        packer_.pack(marker_);
        changed_ = true;
      } else {
        pack(entry.val, deeper);
      }
    }
  }

  static std::string key_text(const msgpack::object& key) {
    switch (key.type) {
      case msgpack::type::STR:
        return {key.via.str.ptr, key.via.str.size};
      case msgpack::type::BIN:
        return {key.via.bin.ptr, key.via.bin.size};
      case msgpack::type::POSITIVE_INTEGER:
        return std::to_string(key.via.u64);
      case msgpack::type::NEGATIVE_INTEGER:
        return std::to_string(key.via.i64);
      default:
        return "";
    }
  }

  const std::string marker_;
  PackTarget target_;
  msgpack::packer<PackTarget> packer_;
  bool changed_ = false;
};

FieldsFound redact_msgpack(Bytes body, const Rests& rests, std::string_view marker,
                           ByteBuffer& out) {
  const std::size_t most = body.size();  // No part can have more members than the body has bytes.
  const msgpack::unpack_limit limit(most, most, most, most, most, kMostNesting);
  const std::size_t begin = out.size();
  try {
    std::size_t end = 0;
    const msgpack::object_handle value = msgpack::unpack(reinterpret_cast<const char*>(body.data()),
                                                         body.size(), end, nullptr, nullptr, limit);
    if (end != body.size()) return FieldsFound::kUnreadable;
    MsgpackRedactor redactor(marker, out);
    redactor.pack(value.get(), rests);
    if (redactor.changed()) return FieldsFound::kSome;
    out.resize(begin);
    return FieldsFound::kNone;
  } catch (const std::exception&) {
    out.resize(begin);
    return FieldsFound::kUnreadable;
  }
}

}  // namespace

std::optional<FieldPath> parse_field_path(std::string_view text) {
  FieldPath path;
  while (true) {
    const std::size_t dot = text.find('.');
    const std::string_view key = text.substr(0, dot);
    if (key.empty()) return std::nullopt;
    path.emplace_back(key);
    if (dot == std::string_view::npos) return path;
    text.remove_prefix(dot + 1);
  }
}

FieldsFound redact_fields(Bytes body, const std::vector<FieldPath>& paths, std::string_view marker,
                          ByteBuffer& out) {
  if (body.empty()) return FieldsFound::kNone;
  const Rests rests(paths.begin(), paths.end());
  const std::string_view text = as_text(body);
  if (json_nesting(text) <= kMostNesting) {
    Json value = Json::parse(text, nullptr, false);
    if (!value.is_discarded()) {
      if (!redact(value, rests, marker)) return FieldsFound::kNone;
      const std::string redacted = value.dump(-1, ' ', false, Json::error_handler_t::replace);
      const Bytes bytes = as_bytes(redacted);
      out.insert(out.end(), bytes.begin(), bytes.end());
      return FieldsFound::kSome;
    }
  }
  return redact_msgpack(body, rests, marker, out);
}

}  // namespace zpost::inspect
