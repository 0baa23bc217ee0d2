// A body as a protobuf message, before anybody decides how it looks.
#pragma once

#include <string>

namespace zpost::inspect {

struct ProtobufBody {
  std::string message = {};  // Its full name, "lab.Reading"; empty: nobody says which it is.
  std::string json = {};     // On one line, fields by their names in the .proto file.
  std::string remark = {};   // What is odd about it, such as "2 unknown fields".
  std::string fault = {};    // Why it cannot be read; then there is no json.
};

}  // namespace zpost::inspect
