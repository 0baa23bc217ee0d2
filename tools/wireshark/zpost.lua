-- zpost in Wireshark and tshark: what `zpost-inspect capture` writes, and zpost on the wire.
--
--   tshark -X lua_script:zpost.lua -r trace.pcapng -Y 'zpost.from == "alice"'
--
-- Or copy it into the personal plugins' folder (Help, About Wireshark, Folders). The wire is ZMTP 3
-- with the mechanism NULL over TCP, recognised by its greeting, and on the ports of the preference
-- "zpost_zmtp.ports" when a connection's beginning was not captured. docs/capture.md tells the
-- fields; protocol/SPEC.md what they mean.

local zpost = Proto("zpost", "zpost")
local zmtp = Proto("zpost_zmtp", "ZMTP of zpost")

local KINDS = {
  [1] = "hello", [2] = "welcome", [3] = "refused", [4] = "goodbye", [5] = "ping", [6] = "pong",
  [16] = "send", [17] = "request", [18] = "reply", [19] = "publish", [20] = "call",
  [32] = "outcome", [33] = "cancel", [48] = "ack", [49] = "credit", [50] = "receipt",
  [51] = "doubt", [64] = "subscribe", [65] = "unsubscribe", [66] = "offer", [67] = "withdraw",
  [68] = "watch", [69] = "describe", [80] = "presence", [81] = "gap",
}
local EVENTS = {
  [1] = "received", [2] = "forwarded", [3] = "held", [4] = "failed", [5] = "delivered",
  [6] = "session", [7] = "name", [8] = "missed", [9] = "assigned", [10] = "answered", [11] = "end",
  [12] = "dropped", [13] = "flow", [14] = "asked",
}
local OUTCOMES = {
  [1] = "delivered", [2] = "unconfirmed", [3] = "queued", [10] = "duplicate", [11] = "no-peer",
  [12] = "no-subscriber", [13] = "no-worker", [14] = "full", [15] = "over-credit",
  [16] = "too-large", [17] = "expired", [18] = "denied", [19] = "forged", [20] = "malformed",
  [21] = "not-welcomed", [22] = "unsupported", [23] = "rejected", [24] = "cancelled",
  [25] = "draining", [26] = "dropped", [27] = "lost", [28] = "bad-name", [29] = "bad-id",
  [30] = "no-reply", [31] = "over-rate", [64] = "bad-identity", [65] = "version",
  [66] = "name-held", [67] = "replaced", [68] = "silent", [69] = "violations",
  [70] = "unresponsive", [71] = "timed-out",
}
local HELD = { [1] = "window-full", [2] = "away", [3] = "not-there-yet", [4] = "pipe-full",
               [5] = "no-demand", [6] = "no-free-worker", [7] = "worker-gone" }
local CHANGES = { [1] = "joined", [2] = "resumed", [3] = "away", [4] = "over", [5] = "refused",
                  [6] = "changed" }
local FLOWS = { [1] = "stalled", [2] = "goes-on" }
local OPS = { [0] = "something else", [1] = "who", [2] = "stats", [3] = "tap", [4] = "untap",
              [5] = "recall", [6] = "route" }

local f = {
  event = ProtoField.string("zpost.event", "Event"),
  from = ProtoField.string("zpost.from", "From"),
  to = ProtoField.string("zpost.to", "To"),
  kind = ProtoField.string("zpost.kind", "Kind"),
  id = ProtoField.uint64("zpost.id", "Id"),
  last_id = ProtoField.uint64("zpost.last_id", "Last id"),
  count = ProtoField.uint32("zpost.count", "Envelopes"),
  bytes = ProtoField.uint32("zpost.bytes", "Bytes"),
  outcome = ProtoField.string("zpost.outcome", "Outcome"),
  outcome_text = ProtoField.string("zpost.outcome.text", "Why"),
  why = ProtoField.string("zpost.why", "Held because"),
  change = ProtoField.string("zpost.change", "Session"),
  resent = ProtoField.bool("zpost.resent", "Sent again over a new connection"),
  flow = ProtoField.string("zpost.flow", "Sender"),
  op = ProtoField.string("zpost.op", "Asked for"),
  queues = ProtoField.uint16("zpost.queues", "Queues"),
  attempt = ProtoField.uint16("zpost.attempt", "Attempt"),
  reply_id = ProtoField.uint64("zpost.reply_id", "Reply's id"),
  code = ProtoField.uint16("zpost.code", "Code"),
  sequence = ProtoField.uint64("zpost.sequence", "Sequence"),
  missed = ProtoField.uint64("zpost.missed", "Records missed before"),
  redacted = ProtoField.bool("zpost.redacted", "Redacted"),
  latency = ProtoField.relative_time("zpost.latency", "Since it was received, or asked"),
  envelope = ProtoField.bytes("zpost.envelope", "Envelope"),
  content_type = ProtoField.string("zpost.content_type", "Content type"),
  in_reply_to = ProtoField.uint64("zpost.in_reply_to", "In reply to"),
  rejected = ProtoField.bool("zpost.rejected", "Rejected"),
  trace = ProtoField.string("zpost.trace", "Trace"),
  again = ProtoField.uint64("zpost.again", "Again"),
  meta = ProtoField.string("zpost.meta", "Meta"),
  body = ProtoField.string("zpost.body", "Body"),
  body_bytes = ProtoField.bytes("zpost.body.bytes", "Body's bytes"),
  cut = ProtoField.bool("zpost.cut", "Cut"),
}
zpost.fields = f

local w = {
  version = ProtoField.string("zpost_zmtp.version", "Version"),
  mechanism = ProtoField.string("zpost_zmtp.mechanism", "Mechanism"),
  command = ProtoField.string("zpost_zmtp.command", "Command"),
  identity = ProtoField.string("zpost_zmtp.identity", "Identity"),
  socket = ProtoField.string("zpost_zmtp.socket_type", "Socket type"),
  flags = ProtoField.uint8("zpost_zmtp.flags", "Flags", base.HEX),
  length = ProtoField.uint64("zpost_zmtp.length", "Length"),
  more = ProtoField.bool("zpost_zmtp.more", "More parts follow"),
}
zmtp.fields = w

local malformed = ProtoExpert.new("zpost.malformed", "No envelope", expert.group.MALFORMED,
                                  expert.severity.ERROR)
local some_missed = ProtoExpert.new("zpost.some_missed", "Records were missed",
                                    expert.group.SEQUENCE, expert.severity.WARN)
zpost.experts = { malformed, some_missed }

zmtp.prefs.ports = Pref.range("TCP ports", "1234", "Where zpost brokers listen", 65535)

-- ---- msgpack ---------------------------------------------------------------
-- Readers take a buffer and an offset, and return a value and the offset behind it; nothing when
-- the bytes end before, or are of another type.

local MAX_DEPTH = 16
local MAX_SHOWN = 4096 -- Bytes of a body as text.

local function left(buffer, at) return buffer:len() - at end

local function byte_at(buffer, at)
  if left(buffer, at) < 1 then return nil end
  return buffer:range(at, 1):uint()
end

local function sized(buffer, at, width)
  if left(buffer, at) < width then return nil end
  return buffer:range(at, width):uint()
end

local WIDTHS = { [0xc4] = 1, [0xc5] = 2, [0xc6] = 4, [0xd9] = 1, [0xda] = 2, [0xdb] = 4 }
local UINTS = { [0xcc] = 1, [0xcd] = 2, [0xce] = 4, [0xcf] = 8 }
local INTS = { [0xd0] = 1, [0xd1] = 2, [0xd2] = 4, [0xd3] = 8 }
local FIXED_EXTS = { [0xd4] = 1, [0xd5] = 2, [0xd6] = 4, [0xd7] = 8, [0xd8] = 16 }

-- A UInt64.
local function read_uint(buffer, at)
  local tag = byte_at(buffer, at)
  if not tag then return nil end
  if tag < 0x80 then return UInt64(tag), at + 1 end
  local width = UINTS[tag]
  if not width or left(buffer, at + 1) < width then return nil end
  return buffer:range(at + 1, width):uint64(), at + 1 + width
end

-- Where a str or bin begins and how long it says it is, whether or not all of it is there.
local function read_extent(buffer, at)
  local tag = byte_at(buffer, at)
  if not tag then return nil end
  if tag >= 0xa0 and tag <= 0xbf then return at + 1, tag - 0xa0, true end
  local width = WIDTHS[tag]
  if not width then return nil end
  local length = sized(buffer, at + 1, width)
  if not length then return nil end
  return at + 1 + width, length, tag >= 0xd9
end

local function read_str(buffer, at)
  local begin, length, is_text = read_extent(buffer, at)
  if not begin or not is_text or left(buffer, begin) < length then return nil end
  local text = length > 0 and buffer:range(begin, length):string(ENC_UTF_8) or ""
  return text, begin + length
end

-- How many members an array or map has.
local function read_count(buffer, at, fixed, wide)
  local tag = byte_at(buffer, at)
  if not tag then return nil end
  if tag >= fixed and tag <= fixed + 15 then return tag - fixed, at + 1 end
  if tag ~= wide and tag ~= wide + 1 then return nil end
  local width = tag == wide and 2 or 4
  local count = sized(buffer, at + 1, width)
  if not count then return nil end
  return count, at + 1 + width
end

local function read_array(buffer, at) return read_count(buffer, at, 0x90, 0xdc) end

local function read_map(buffer, at) return read_count(buffer, at, 0x80, 0xde) end

local function quoted(text)
  return '"' .. text:gsub('[%c"\\]', function(each)
    return each == '"' and '\\"' or each == "\\" and "\\\\" or string.format("\\x%02x", each:byte())
  end) .. '"'
end

local describe -- A value as text.

local function describe_members(buffer, at, count, depth, is_map)
  local parts = {}
  for _ = 1, count do
    local text
    text, at = describe(buffer, at, depth + 1)
    if not text then return nil end
    if is_map then
      local value
      value, at = describe(buffer, at, depth + 1)
      if not value then return nil end
      text = text .. ": " .. value
    end
    parts[#parts + 1] = text
  end
  local all = table.concat(parts, ", ")
  return is_map and "{" .. all .. "}" or "[" .. all .. "]", at
end

local function describe_number(buffer, at, tag)
  if tag < 0x80 then return tostring(tag), at + 1 end
  if tag >= 0xe0 then return tostring(tag - 256), at + 1 end
  local width = UINTS[tag] or INTS[tag] or (tag == 0xca and 4) or (tag == 0xcb and 8)
  if not width or left(buffer, at + 1) < width then return nil end
  local range = buffer:range(at + 1, width)
  local value = UINTS[tag] and range:uint64() or INTS[tag] and range:int64() or range:float()
  return tostring(value), at + 1 + width
end

describe = function(buffer, at, depth)
  local tag = byte_at(buffer, at)
  if not tag or depth > MAX_DEPTH then return nil end
  local count, inside = read_array(buffer, at)
  if count then return describe_members(buffer, inside, count, depth, false) end
  count, inside = read_map(buffer, at)
  if count then return describe_members(buffer, inside, count, depth, true) end
  local begin, length, is_text = read_extent(buffer, at)
  if begin then
    if left(buffer, begin) < length then return nil end
    if length == 0 then return '""', begin end
    local range = buffer:range(begin, length)
    return is_text and quoted(range:string(ENC_UTF_8)) or "0x" .. tostring(range:bytes()),
           begin + length
  end
  if tag == 0xc0 then return "null", at + 1 end
  if tag == 0xc2 then return "false", at + 1 end
  if tag == 0xc3 then return "true", at + 1 end
  if FIXED_EXTS[tag] then
    if left(buffer, at) < 2 + FIXED_EXTS[tag] then return nil end
    return "ext", at + 2 + FIXED_EXTS[tag]
  end
  if tag >= 0xc7 and tag <= 0xc9 then
    local width = 2 ^ (tag - 0xc7)
    local size = sized(buffer, at + 1, width)
    if not size or left(buffer, at + 2 + width) < size then return nil end
    return "ext", at + 2 + width + size
  end
  return describe_number(buffer, at, tag)
end

-- ---- Latencies: what was seen before, by packet ------------------------------

local received = {}  -- By sender and recipient: runs in the order of their ids.
local asked = {}     -- Requests and calls by sender and id: when.
local latencies = {} -- By packet and place in it, from the first pass.
local MAX_RUNS = 65536
local MAX_ASKED = 262144
local asked_count = 0

local function forget_all()
  received, asked, latencies, asked_count = {}, {}, {}, 0
end

zpost.init = forget_all
zmtp.init = forget_all

local function note_received(key, first, last, time)
  local runs = received[key]
  if not runs or #runs >= MAX_RUNS then
    runs = {}
    received[key] = runs
  end
  runs[#runs + 1] = { first = first, last = last, time = time }
end

-- When the envelope `id` was received.
local function received_at(key, id)
  local runs = received[key]
  if not runs then return nil end
  local low, high = 1, #runs
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if runs[middle].first <= id then low = middle else high = middle - 1 end
  end
  local run = runs[low]
  if run and run.first <= id and id <= run.last then return run.time end
  return nil
end

local function note_asked(from, id, time)
  local key = from .. "\0" .. tostring(id)
  if asked[key] then return end
  if asked_count >= MAX_ASKED then asked, asked_count = {}, 0 end
  asked[key] = time
  asked_count = asked_count + 1
end

local function asked_at(from, id) return asked[from .. "\0" .. tostring(id)] end

-- `since` is worked out in the first pass only: later ones come in any order.
local function add_latency(tree, pinfo, place, range, since)
  local key = pinfo.number .. ":" .. place
  if not pinfo.visited and since then
    local now = pinfo.rel_ts
    latencies[key] = now - since
  end
  local latency = latencies[key]
  if not latency or latency < 0 then return end
  local seconds = math.floor(latency)
  tree:add(f.latency, range, NSTime(seconds, math.floor((latency - seconds) * 1e9)))
end

-- ---- Envelopes -------------------------------------------------------------------

local META = {
  [4] = function(tree, buffer, at, ended)
    local id = read_uint(buffer, at)
    if id then tree:add(f.in_reply_to, buffer:range(at, ended - at), id) end
    return "in_reply_to", id
  end,
  [5] = function(tree, buffer, at, ended)
    local text = read_str(buffer, at)
    if text then tree:add(f.content_type, buffer:range(at, ended - at), text) end
  end,
  [7] = function(tree, buffer, at, ended)
    local text = read_str(buffer, at)
    if text then tree:add(f.trace, buffer:range(at, ended - at), text) end
  end,
  [8] = function(tree, buffer, at, ended)
    local attempt = read_uint(buffer, at)
    if attempt then tree:add(f.again, buffer:range(at, ended - at), attempt) end
  end,
  [10] = function(tree, buffer, at, ended)
    tree:add(f.rejected, buffer:range(at, ended - at), byte_at(buffer, at) == 0xc3)
  end,
}

-- What of meta matters elsewhere, and where it ends.
local function dissect_meta(tree, buffer, at)
  local begin = at
  local found = {}
  local text, behind = describe(buffer, at, 0)
  local count
  count, at = read_map(buffer, at)
  if not text or not count then return nil end
  if count > 0 then tree:add(f.meta, buffer:range(begin, behind - begin), text) end
  for _ = 1, count do
    local key
    key, at = read_uint(buffer, at)
    if not key then return nil end
    local _, ended = describe(buffer, at, 0)
    local show = META[key:tonumber()]
    if show then
      local name, value = show(tree, buffer, at, ended)
      if name then found[name] = value end
    end
    at = ended
  end
  return found, behind
end

local function is_printable(text)
  return not text:find("[%z\1-\8\11\12\14-\31\127]")
end

local function body_text(range, is_text)
  local shown = range:range(0, math.min(range:len(), MAX_SHOWN))
  local raw = shown:raw()
  if is_text or (is_printable(raw) and not raw:find("[\128-\255]")) then
    return shown:string(ENC_UTF_8)
  end
  local tvb = range:tvb()
  local text, ended = describe(tvb, 0, 0)
  if text and ended == tvb:len() and #text <= MAX_SHOWN and
     (read_map(tvb, 0) or read_array(tvb, 0)) then
    return text
  end
  return tostring(shown:bytes())
end

-- What the bodies of the broker's own kinds say that has a field.
local function dissect_control(tree, kind, range)
  local tvb = range:tvb()
  if kind == "outcome" then
    local count, at = read_array(tvb, 0)
    if not count or count < 3 then return nil end
    local code, recipient, text
    code, at = read_uint(tvb, at)
    if not code then return nil end
    recipient, at = read_str(tvb, at)
    if not recipient then return nil end
    text = read_str(tvb, at)
    local name = OUTCOMES[code:tonumber()] or "code " .. tostring(code)
    tree:add(f.outcome, range, name)
    if text then tree:add(f.outcome_text, range, text) end
    return name
  end
  if kind ~= "refused" and kind ~= "goodbye" then return nil end
  local count, at = read_map(tvb, 0)
  for _ = 1, count or 0 do
    local key, value
    key, at = read_str(tvb, at)
    if not key then return nil end
    if key == "code" then
      value = read_uint(tvb, at)
      local name = value and (OUTCOMES[value:tonumber()] or "code " .. tostring(value))
      if name then tree:add(f.outcome, range, name) end
      return name
    end
    _, at = describe(tvb, at, 0)
    if not at then return nil end
  end
  return nil
end

local function who(name) return name == "" and "broker" or name end

-- One envelope of `buffer` at `at`. Returns where it ends, a line for people, and what it is; or
-- nothing where there is none. The last one may be cut in its body.
local function dissect_envelope(tree, pinfo, buffer, at, on_wire)
  local begin = at
  local elements
  elements, at = read_array(buffer, at)
  if not elements or elements < 6 then return nil end
  local number, to, from, id
  local kind_at = at
  number, at = read_uint(buffer, at)
  if not number then return nil end
  local to_at = at
  to, at = read_str(buffer, at)
  if not to then return nil end
  local from_at = at
  from, at = read_str(buffer, at)
  if not from then return nil end
  local id_at = at
  id, at = read_uint(buffer, at)
  if not id then return nil end
  local kind = KINDS[number:tonumber()] or "kind " .. tostring(number)
  local node = tree:add(f.envelope, buffer:range(begin, left(buffer, begin)))
  node:add(f.kind, buffer:range(kind_at, to_at - kind_at), kind)
  if to ~= "" then node:add(f.to, buffer:range(to_at, from_at - to_at), to) end
  if from ~= "" then node:add(f.from, buffer:range(from_at, id_at - from_at), from) end
  node:add(f.id, buffer:range(id_at, at - id_at), id)
  local meta
  meta, at = dissect_meta(node, buffer, at)
  local outcome
  local cut = true
  if meta then
    local body_at, length, is_text = read_extent(buffer, at)
    if body_at then
      local there = math.min(length, left(buffer, body_at))
      cut = there < length
      at = body_at + there
      if there > 0 then
        local range = buffer:range(body_at, there)
        outcome = dissect_control(node, kind, range)
        node:add(f.body, range, body_text(range, is_text))
        node:add(f.body_bytes, range)
      end
      for _ = 7, cut and 0 or elements do
        local _, behind = describe(buffer, at, 0)
        if not behind then
          cut = true
          break
        end
        at = behind
      end
    end
  end
  if cut then at = buffer:len() end
  if cut then node:add(f.cut, buffer:range(begin, at - begin), true) end
  node:set_len(at - begin)
  local line = string.format("%s → %s %s #%s", who(from), who(to), kind, tostring(id))
  if outcome then line = line .. " " .. outcome end
  node:set_text(line)
  if kind == "request" or kind == "call" then
    if not pinfo.visited then note_asked(from, id, pinfo.rel_ts) end
  elseif kind == "reply" and meta and meta.in_reply_to then
    add_latency(node, pinfo, begin, buffer:range(begin, at - begin),
                not pinfo.visited and asked_at(to, meta.in_reply_to) or nil)
  end
  return at, line, cut and on_wire
end

-- Envelopes back to back. What they are, for people.
local function dissect_envelopes(tree, pinfo, buffer, on_wire)
  local at, lines = 0, {}
  while at < buffer:len() do
    local behind, line, bad = dissect_envelope(tree, pinfo, buffer, at, on_wire)
    if not behind or bad then
      local rest = buffer:range(at, left(buffer, at))
      if on_wire then tree:add_proto_expert_info(malformed, "No envelope at byte " .. at) end
      if not behind then tree:add(f.cut, rest, true) end
      break
    end
    if #lines < 4 then lines[#lines + 1] = line else lines.more = (lines.more or 0) + 1 end
    at = behind
  end
  local text = table.concat(lines, "; ")
  if lines.more then text = text .. "; and " .. lines.more .. " more" end
  return text
end

-- ---- Records of a capture file: docs/capture.md, "A record" --------------------------

local HEAD = 72

local function dissect_code(tree, record)
  local range, code = record.code_range, record.code
  local event = record.event
  if event == 3 then
    tree:add(f.why, range, HELD[code] or "code " .. code)
    return HELD[code]
  elseif event == 2 then
    if record.kind == 19 then
      if code > 0 then tree:add_le(f.queues, range) end
    elseif code == 1 then
      tree:add(f.resent, range, true)
    end
  elseif event == 6 then
    local change = CHANGES[code] or "code " .. code
    tree:add(f.change, range, change)
    local why = record.first:tonumber()
    if why ~= 0 then
      tree:add(f.outcome, record.first_range, OUTCOMES[why] or "code " .. why)
      change = change .. " (" .. (OUTCOMES[why] or why) .. ")"
    end
    return change
  elseif event == 13 then
    tree:add(f.flow, range, FLOWS[code] or "code " .. code)
    return FLOWS[code]
  elseif event == 14 then
    tree:add(f.op, range, OPS[code] or "code " .. code)
    return OPS[code]
  elseif event == 9 then
    tree:add_le(f.attempt, range)
  elseif event == 10 and code == 0 then
    tree:add_le(f.reply_id, record.last_range)
  elseif event == 4 or event == 5 or event == 10 then
    if event == 5 and code == 0 then code = 1 end
    local outcome = OUTCOMES[code] or "code " .. code
    tree:add(f.outcome, range, outcome)
    return event ~= 5 and outcome or (code ~= 1 and outcome or nil)
  elseif code ~= 0 then
    tree:add_le(f.code, range)
  end
  return nil
end

local function dissect_run(tree, record)
  local buffer = record.buffer
  if record.kind ~= 0 then
    tree:add(f.kind, buffer:range(57, 1), KINDS[record.kind] or "kind " .. record.kind)
  end
  tree:add_le(f.id, record.first_range)
  if record.event ~= 10 then tree:add_le(f.last_id, record.last_range) end
  tree:add_le(f.count, buffer:range(40, 4))
  tree:add_le(f.bytes, buffer:range(44, 4))
  local line = string.format("%s → %s", who(record.from), who(record.to))
  if record.kind ~= 0 then line = line .. " " .. (KINDS[record.kind] or "kind " .. record.kind) end
  line = line .. " #" .. tostring(record.first)
  if record.count > 1 then line = line .. " ×" .. record.count end
  return line
end

local function dissect_times(tree, pinfo, record)
  local key = record.from .. "\0" .. record.to
  if record.event == 1 then
    if not pinfo.visited then note_received(key, record.first, record.last, pinfo.rel_ts) end
    return
  end
  local since
  if not pinfo.visited then
    since = record.event == 10 and asked_at(record.from, record.first) or
            received_at(key, record.first)
  end
  add_latency(tree, pinfo, "record", record.first_range, since)
end

local function read_record(buffer)
  if buffer:len() < HEAD then return nil end
  local head = buffer:range(0, 2):le_uint()
  local from, to = buffer:range(48, 4):le_uint(), buffer:range(52, 4):le_uint()
  local extra = buffer:range(60, 4):le_uint()
  if head < HEAD or head + from + to + extra > buffer:len() then return nil end
  local function text(at, length)
    return length > 0 and buffer:range(at, length):string(ENC_UTF_8) or ""
  end
  return {
    buffer = buffer, version = buffer:range(2, 1):uint(), flags = buffer:range(3, 1):uint(),
    from = text(head, from), to = text(head + from, to),
    from_range = from > 0 and buffer:range(head, from),
    to_range = to > 0 and buffer:range(head + from, to),
    extra_range = extra > 0 and buffer:range(head + from + to, extra),
    first = buffer:range(24, 8):le_uint64(), first_range = buffer:range(24, 8),
    last = buffer:range(32, 8):le_uint64(), last_range = buffer:range(32, 8),
    count = buffer:range(40, 4):le_uint(),
    event = buffer:range(56, 1):uint(), kind = buffer:range(57, 1):uint(),
    code = buffer:range(58, 2):le_uint(), code_range = buffer:range(58, 2),
    missed = buffer:range(64, 8):le_uint64(), missed_range = buffer:range(64, 8),
  }
end

function zpost.dissector(tvb, pinfo, root)
  local buffer = tvb
  pinfo.cols.protocol = "zpost"
  local tree = root:add(zpost, buffer:range())
  local record = read_record(buffer)
  if not record or record.version ~= 1 then
    tree:add_proto_expert_info(malformed, "A record this dissector does not know")
    return buffer:len()
  end
  local event = EVENTS[record.event] or "event " .. record.event
  tree:add(f.event, buffer:range(56, 1), event)
  if record.from_range then tree:add(f.from, record.from_range, record.from) end
  if record.to_range then tree:add(f.to, record.to_range, record.to) end
  if record.from_range then pinfo.cols.src = record.from end
  if record.to_range then pinfo.cols.dst = record.to end
  local line
  if record.event == 6 then
    line = who(record.from)
  elseif record.event == 8 then
    line = tostring(record.missed) .. " records"
  else
    line = dissect_run(tree, record)
    dissect_times(tree, pinfo, record)
  end
  local code = dissect_code(tree, record)
  if code then line = line .. " " .. code end
  tree:add_le(f.sequence, buffer:range(8, 8))
  if record.missed > UInt64(0) then
    tree:add_le(f.missed, record.missed_range)
    tree:add_proto_expert_info(some_missed, tostring(record.missed) .. " records were missed")
  end
  if record.flags % 2 == 1 then tree:add(f.redacted, buffer:range(3, 1), true) end
  tree:append_text(", " .. event .. " " .. line)
  pinfo.cols.info = event .. " " .. line
  if record.extra_range then dissect_envelopes(tree, pinfo, record.extra_range:tvb(), false) end
  return buffer:len()
end

-- ---- ZMTP --------------------------------------------------------------------------

local GREETING = 64
local MORE, LONG, COMMAND = 1, 2, 4

local function has(flags, bit) return math.floor(flags / bit) % 2 == 1 end

-- How long the header and the whole frame at `at` are; nothing if too little of it is there.
local function frame_extent(buffer, at)
  local flags = buffer:range(at, 1):uint()
  if flags == 0xff then return 0, GREETING end
  if has(flags, LONG) then
    if left(buffer, at) < 9 then return nil end
    return 9, 9 + buffer:range(at + 1, 8):uint64():tonumber()
  end
  if left(buffer, at) < 2 then return nil end
  return 2, 2 + buffer:range(at + 1, 1):uint()
end

local function dissect_greeting(tree, buffer, at)
  local version = string.format("%d.%d", buffer:range(at + 10, 1):uint(),
                                buffer:range(at + 11, 1):uint())
  local mechanism = buffer:range(at + 12, 20):stringz()
  tree:add(w.version, buffer:range(at + 10, 2), version)
  tree:add(w.mechanism, buffer:range(at + 12, 20), mechanism)
  return "greeting, " .. mechanism
end

local PROPERTIES = { ["Identity"] = w.identity, ["Socket-Type"] = w.socket }

local function dissect_command(tree, buffer, at, length)
  local name_length = length > 0 and byte_at(buffer, at) or 0
  if name_length == 0 or name_length >= length then return "command" end
  local name = buffer:range(at + 1, name_length):string()
  tree:add(w.command, buffer:range(at + 1, name_length), name)
  local line = name
  local stop = at + length
  at = at + 1 + name_length
  while name == "READY" and at < stop do
    local key_length = byte_at(buffer, at)
    if at + 1 + key_length + 4 > stop then break end
    local key = key_length > 0 and buffer:range(at + 1, key_length):string() or ""
    local value_at = at + 1 + key_length + 4
    local value_length = buffer:range(value_at - 4, 4):uint()
    if value_at + value_length > stop then break end
    if PROPERTIES[key] and value_length > 0 then
      -- The token is a secret of its connection: only the name is shown.
      local text = buffer:range(value_at, value_length):string(ENC_UTF_8):match("^[^~]*")
      tree:add(PROPERTIES[key], buffer:range(value_at, value_length), text)
      line = line .. " " .. text
    end
    at = value_at + value_length
  end
  return line
end

local function dissect_frame(tree, pinfo, buffer, at, header, length)
  local node = tree:add(zmtp, buffer:range(at, length))
  if header == 0 then
    local line = dissect_greeting(node, buffer, at)
    node:set_text(line)
    return line
  end
  local flags = buffer:range(at, 1):uint()
  node:add(w.flags, buffer:range(at, 1))
  node:add(w.length, buffer:range(at + 1, header - 1), UInt64(length - header))
  if has(flags, MORE) then node:add(w.more, buffer:range(at, 1), true) end
  if has(flags, COMMAND) then
    local line = dissect_command(node, buffer, at + header, length - header)
    node:set_text(line)
    return line
  end
  if length == header then return "empty frame" end
  local inside = node:add(zpost, buffer:range(at + header, length - header))
  local line = dissect_envelopes(inside, pinfo, buffer:range(at + header, length - header):tvb(),
                                 true)
  return line
end

function zmtp.dissector(tvb, pinfo, root)
  local buffer = tvb
  local at, lines = 0, {}
  while at < buffer:len() do
    local header, length = frame_extent(buffer, at)
    if not header or left(buffer, at) < length then
      pinfo.desegment_offset = at
      pinfo.desegment_len = header and length - left(buffer, at) or DESEGMENT_ONE_MORE_SEGMENT
      break
    end
    lines[#lines + 1] = dissect_frame(root, pinfo, buffer, at, header, length)
    at = at + length
  end
  if #lines > 0 then
    pinfo.cols.protocol = "zpost"
    pinfo.cols.info = table.concat(lines, " | ", 1, math.min(#lines, 8))
  end
  return buffer:len()
end

-- A connection is ours from its greeting on: ff, eight bytes, 7f.
local function looks_like_zmtp(tvb, pinfo, root)
  if tvb:len() < 10 then return false end
  if tvb:range(0, 1):uint() ~= 0xff or tvb:range(9, 1):uint() ~= 0x7f then return false end
  pinfo.conversation = zmtp
  zmtp.dissector(tvb, pinfo, root)
  return true
end

local tcp_ports = DissectorTable.get("tcp.port")
local registered = ""

local function follow_ports()
  if registered == zmtp.prefs.ports then return end
  if registered ~= "" then tcp_ports:remove(registered, zmtp) end
  registered = zmtp.prefs.ports
  if registered ~= "" then tcp_ports:add(registered, zmtp) end
end

zmtp.prefs_changed = follow_ports
follow_ports()
zmtp:register_heuristic("tcp", looks_like_zmtp)
