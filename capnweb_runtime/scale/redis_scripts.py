"""What runs inside Redis, each script as one step. Rule: a topic's epoch is of one run of one server, so that a restart
and a failover are seen, whatever was on the disk.

A topic `t` has three kinds of keys: `capnweb:{t}:m`, a hash of its epoch, last offset and the run of the server;
`capnweb:{t}:s`, the stream of its events; and `capnweb:{t}:d:<id>`, an event's cursor by its id. The braces have all of
them in one slot. The stream's entries have the ids `<epoch>-<offset>`, and epochs grow: a reader that waits behind an
entry of an epoch that is over is woken by the first of the next. A user whom an ACL
forbids INFO cannot publish or read: a loss would go unseen.
"""

from __future__ import annotations

from typing import Final

_EPOCH: Final = """
local function micros()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local function position()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local m = redis.call('HMGET', KEYS[1], 'e', 'o', 'r')
  if m[1] and run == m[3] then return m[1], m[2] end
  local epoch = string.format('%.0f', math.max(micros(), (tonumber(m[1]) or 0) + 1))
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'e', epoch, 'o', '0', 'r', run)
  redis.call('PEXPIRE', KEYS[1], TOPIC_MS)
  return epoch, '0'
end
""".replace("TOPIC_MS", str(7 * 86_400_000))
"""A topic's position is kept for a week after its last use, longer than the events, so that who has seen all of them
sees no gap."""

PUBLISH: Final = f"""
{_EPOCH}
local epoch = position()
if ARGV[4] ~= '0' then
  local first = redis.call('GET', KEYS[3])
  if first and string.sub(first, 1, #epoch + 1) == epoch .. ':' then return first end
end
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'o', 1))
redis.call('PEXPIRE', KEYS[1], {7 * 86_400_000})
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[2], epoch .. '-' .. offset, 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
local cursor = epoch .. ':' .. offset
if ARGV[4] ~= '0' then redis.call('SET', KEYS[3], cursor, 'PX', ARGV[4]) end
return cursor
"""
"""KEYS: hash, stream, cursor by id. ARGV: data; events and milliseconds of history; milliseconds for the id, or 0."""

PAGE: Final = f"""
{_EPOCH}
local epoch, top = position()
if ARGV[1] ~= epoch then return {{epoch, top, {{}}}} end
local first = epoch .. '-' .. string.format('%.0f', tonumber(ARGV[2]) + 1)
return {{epoch, top, redis.call('XRANGE', KEYS[2], first, '+', 'COUNT', ARGV[3])}}
"""
"""KEYS: hash, stream. ARGV: epoch and offset behind which to begin, number of events."""

_NUMBER: Final = """
local function number()
  local t = redis.call('TIME')
  local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
  local n = string.format('%.0f', math.max(now, (tonumber(redis.call('GET', KEYS[2])) or 0) + 1))
  redis.call('SET', KEYS[2], n, 'PX', 86400000)
  return n
end
"""
"""A number that grows also when the last one is lost, since the time does."""

ACQUIRE: Final = f"""
{_NUMBER}
if redis.call('EXISTS', KEYS[1]) == 1 then return false end
local n = number()
redis.call('HSET', KEYS[1], 'n', n, 'v', ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return n
"""
"""KEYS: lease, number. ARGV: value, milliseconds."""

RENEW: Final = """
if redis.call('HGET', KEYS[1], 'n') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
"""KEYS: lease. ARGV: fence, milliseconds."""

RELEASE: Final = """
if redis.call('HGET', KEYS[1], 'n') == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
"""
"""KEYS: lease. ARGV: fence."""

PUT: Final = f"""
{_NUMBER}
if ARGV[2] ~= '' and (redis.call('HGET', KEYS[1], 'n') or '0') ~= ARGV[2] then return false end
local n = number()
redis.call('HSET', KEYS[1], 'n', n, 'v', ARGV[1])
return n
"""
"""KEYS: value, number. ARGV: data, expected revision or nothing."""

DELETE: Final = """
if ARGV[1] ~= '' and (redis.call('HGET', KEYS[1], 'n') or '0') ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
return 1
"""
"""KEYS: value. ARGV: expected revision or nothing."""
