// A small broker for the client library's tests: one thread, one ROUTER, and a script.
//
// It routes between its peers as protocol/SPEC.md says, without limits of its own, and does what a
// test tells it besides: refuse, hold receipts back, die, come back as the same or another run.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/wait_until.h"
#include "zpost/protocol/control.h"
#include "zpost/protocol/envelope.h"

namespace zpost::test {
