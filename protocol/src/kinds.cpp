#include "zpost/protocol/kinds.h"

namespace zpost {
namespace {

struct KindName {
  Kind kind;
  std::string_view name;
};

// SPEC.md, section 4.
constexpr KindName kKindNames[] = {
    {Kind::kHello, "hello"},         {Kind::kWelcome, "welcome"},
    {Kind::kRefused, "refused"},     {Kind::kGoodbye, "goodbye"},
    {Kind::kPing, "ping"},           {Kind::kPong, "pong"},
    {Kind::kSend, "send"},           {Kind::kRequest, "request"},
    {Kind::kReply, "reply"},         {Kind::kPublish, "publish"},
    {Kind::kCall, "call"},           {Kind::kOutcome, "outcome"},
    {Kind::kCancel, "cancel"},       {Kind::kAck, "ack"},
    {Kind::kCredit, "credit"},       {Kind::kReceipt, "receipt"},
    {Kind::kSubscribe, "subscribe"}, {Kind::kUnsubscribe, "unsubscribe"},
    {Kind::kOffer, "offer"},         {Kind::kWithdraw, "withdraw"},
    {Kind::kWatch, "watch"},         {Kind::kDescribe, "describe"},
    {Kind::kPresence, "presence"},   {Kind::kGap, "gap"},
    {Kind::kDoubt, "doubt"},
};

}  // namespace

std::string_view kind_name(Kind kind) {
  for (const KindName& entry : kKindNames) {
    if (entry.kind == kind) return entry.name;
  }
  return "unknown";
}

std::optional<Kind> kind_from_name(std::string_view name) {
  for (const KindName& entry : kKindNames) {
    if (entry.name == name) return entry.kind;
  }
  return std::nullopt;
}

}  // namespace zpost
