#include "peer/cli/shared/msgpack_json.h"

#include <exception>
#include <msgpack.hpp>

#include "peer/cli/shared/base64.h"
#include "peer/cli/shared/json.h"

namespace zpost::cli {
namespace {

constexpr std::size_t kMaxDepth = 32;

Bytes view(const char* data, std::uint32_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

Json to_json(const msgpack::object& object);

Json map_to_json(const msgpack::object_map& map) {
  Json json = Json::object();
  // Past the map's own functions, which look for the key among all others each time.
  Json::object_t::Container& entries = json.get_ref<Json::object_t&>();
  entries.reserve(map.size);
  for (std::uint32_t i = 0; i < map.size; ++i) {
    const msgpack::object_kv& entry = map.ptr[i];
    const Json key = to_json(entry.key);
    entries.emplace_back(key.is_string() ? key.get<std::string>()
                                         : key.dump(-1, ' ', false, Json::error_handler_t::replace),
                         to_json(entry.val));
  }
  return json;
}

Json array_to_json(const msgpack::object_array& array) {
  Json json = Json::array();
  for (std::uint32_t i = 0; i < array.size; ++i) json.push_back(to_json(array.ptr[i]));
  return json;
}

Json to_json(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::NIL:
      return nullptr;
    case msgpack::type::BOOLEAN:
      return object.via.boolean;
    case msgpack::type::POSITIVE_INTEGER:
      return object.via.u64;
    case msgpack::type::NEGATIVE_INTEGER:
      return object.via.i64;
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return object.via.f64;
    case msgpack::type::STR:
      return std::string(object.via.str.ptr, object.via.str.size);
    case msgpack::type::BIN:
      return base64(view(object.via.bin.ptr, object.via.bin.size));
    case msgpack::type::EXT:
      return {{"ext", object.via.ext.type()},
              {"data", base64(view(object.via.ext.data(), object.via.ext.size))}};
    case msgpack::type::ARRAY:
      return array_to_json(object.via.array);
    case msgpack::type::MAP:
      return map_to_json(object.via.map);
  }
  return nullptr;
}

}  // namespace

std::optional<Json> json_from_msgpack(Bytes bytes) {
  // Every element is at least a byte, so that no declared size is believed beyond what is there.
  const std::size_t most = bytes.size();
  const msgpack::unpack_limit limit(most, most, most, most, most, kMaxDepth);
  try {
    std::size_t offset = 0;
    const msgpack::object_handle handle = msgpack::unpack(
        reinterpret_cast<const char*>(bytes.data()), bytes.size(), offset,
        [](msgpack::type::object_type, std::size_t, void*) { return true; }, nullptr, limit);
    if (offset != bytes.size()) return std::nullopt;
    return to_json(handle.get());
  } catch (const std::exception&) {
    return std::nullopt;  // No msgpack, or more of it than there is memory for.
  }
}

}  // namespace zpost::cli
