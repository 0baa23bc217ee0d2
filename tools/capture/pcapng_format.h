// Numbers of the pcapng format (draft-ietf-opsawg-pcapng).
#pragma once

#include <cstddef>
#include <cstdint>

namespace zpost::capture {

inline constexpr std::uint32_t kSectionBlock = 0x0a0d0d0a;
inline constexpr std::uint32_t kInterfaceBlock = 1;
inline constexpr std::uint32_t kSimplePacketBlock = 3;
inline constexpr std::uint32_t kNameBlock = 4;
inline constexpr std::uint32_t kStatisticsBlock = 5;
inline constexpr std::uint32_t kPacketBlock = 6;

inline constexpr std::uint32_t kByteOrder = 0x1a2b3c4d;

/// LINKTYPE_WIRESHARK_UPPER_PDU: the packet says itself which dissector reads it.
inline constexpr std::uint16_t kExportedPdu = 252;

inline constexpr std::uint16_t kEndOption = 0;
inline constexpr std::uint16_t kCommentOption = 1;
inline constexpr std::uint16_t kProgramOption = 4;      // Of a section.
inline constexpr std::uint16_t kNameOption = 2;         // Of an interface.
inline constexpr std::uint16_t kDescriptionOption = 3;  // Of an interface.
inline constexpr std::uint16_t kResolutionOption = 9;   // Of an interface.
inline constexpr std::uint16_t kPacketDropsOption = 4;  // Of a packet.
inline constexpr std::uint16_t kReceivedOption = 4;     // Of statistics.
inline constexpr std::uint16_t kDroppedOption = 5;      // Of statistics.

/// A type and two lengths, one in front and one behind.
inline constexpr std::size_t kLeastBlock = 12;
/// Beyond it a block is taken for damage: what one packet may need is far below.
inline constexpr std::size_t kMostBlock = 16 << 20;
/// Interfaces of a section that are remembered; ours have one.
inline constexpr std::size_t kMostInterfaces = 1024;

}  // namespace zpost::capture
