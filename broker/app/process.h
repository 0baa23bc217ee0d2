// What the broker asks of the operating system about itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace zpost::app {

/// Raises the limit of open files as far as it may go. Whether that is enough shows when it is not:
/// few brokers ever have as many peers as they may.
void raise_file_limit();

/// Bytes of memory in use (resident); 0 if that cannot be told.
[[nodiscard]] std::uint64_t resident_bytes();

/// Makes the heap keep what is freed, up to 256 MiB and a quarter of `limit`, for its next use. The
/// frames of a busy broker come and go; giving their pages back and faulting them in again costs
/// half its throughput.
void keep_free_memory(std::uint64_t limit);

/// Makes the heap give what is free back to the system, so that resident_bytes() says what is used.
void give_back_free_memory();

/// resident_bytes(); beyond `limit`, what they are once `give_back` gave free memory back, so that
/// memory that is only kept counts against nobody.
[[nodiscard]] std::uint64_t needed_bytes(std::uint64_t limit,
                                         const std::function<void()>& give_back);

/// 32 random hexadecimal digits.
[[nodiscard]] std::string random_hex();

}  // namespace zpost::app
