// What a user's first program needs from the installed headers and libraries.
#include <zpost/peer/peer.h>
#include <zpost/protocol/kinds.h>

#include <iostream>

int main() {
  std::cout << zpost::kind_name(zpost::Kind::kSend) << '\n';
}
