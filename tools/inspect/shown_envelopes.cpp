#include "tools/inspect/shown_envelopes.h"

namespace zpost::inspect {

std::vector<ShownEnvelope> shown_envelopes(Bytes shown) {
  std::vector<ShownEnvelope> envelopes;
  ShownReader reader(shown);
  for (ShownEnvelope envelope; reader.next(envelope);) envelopes.push_back(envelope);
  return envelopes;
}

}  // namespace zpost::inspect
