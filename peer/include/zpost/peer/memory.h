// How a fast peer should have its heap.
#pragma once

namespace zpost::peer {

/// Makes this process's heap (glibc's malloc) keep what is freed for its next use, up to some 256
/// MiB, instead of giving it back to the system at once. For programs that receive hundreds of
/// megabytes a second: libzmq allocates every frame, and pages that come and go cost half the
/// throughput. It concerns the whole process, so the library does not do it by itself. Call it
/// once, early. Does nothing with other allocators.
void keep_free_memory();

}  // namespace zpost::peer
