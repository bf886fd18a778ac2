import type { Member } from '@almanac/domain'
import type { Membership, Renewal } from '@almanac/engine'
import { Continuity } from './continuity.js'
import { keysOf, type RedisKeys } from './keys.js'
import { median, membersOf, type Registration } from './registrations.js'
import { script } from './script.js'
import type { Answer, RedisServers } from './servers.js'

export interface RedisMembershipOptions {
  /** The cluster's name: members of other clusters on the same servers are apart. */
  readonly prefix: string
}

/**
 * All by the server's clock, in one step. A member's value is `number instance JSON`: a late renewal with a lower
 * number, sent over a connection that was given up since, does not bring old news back.
 */
const renewScript = script(`
local members, untils, since = KEYS[1], KEYS[2], KEYS[3]
local nodeId, instance, number, json, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = function(n) return string.format('%.0f', n) end

local begun = tonumber(redis.call('GET', since) or '')
if not begun or begun > now then
  begun = now
  redis.call('SET', since, text(now))
end
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', untils, '-inf', text(now))) do
  redis.call('ZREM', untils, gone)
  redis.call('HDEL', members, gone)
end

local taken, stale = 0, false
local known = redis.call('HGET', members, nodeId)
if known then
  local knownNumber, knownInstance = string.match(known, '^(%d+) (%S*) ')
  if knownInstance ~= instance then taken = 1
  elseif tonumber(knownNumber) > number then stale = true end
end
if taken == 0 and not stale then
  redis.call('HSET', members, nodeId, text(number) .. ' ' .. instance .. ' ' .. json)
  redis.call('ZADD', untils, text(now + ttl), nodeId)
end

local list = {}
local all = redis.call('HGETALL', members)
for i = 1, #all, 2 do
  local left = tonumber(redis.call('ZSCORE', untils, all[i]) or now) - now
  list[#list + 1] = { all[i + 1], left }
end
return { taken, now, begun, list }
`)

const leaveScript = script(`
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known and select(2, string.match(known, '^(%d+) (%S*) ')) == ARGV[2] then
  redis.call('HDEL', KEYS[1], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
return 1
`)

/** What the script answers. */
type RenewReply = readonly [
  taken: number,
  at: number,
  since: number,
  list: readonly (readonly [string, number])[],
]

/**
 * Members in Redis, on one server or on 2k + 1 independent ones.
 *
 * A renewal goes to all servers, and is done when a majority has answered: then any two renewals have a server in
 * common. The caller is a member when a majority has it; when somebody else was there first, what it got from a
 * minority is given back, so that two rivals do not keep each other out.
 *
 * The members are all that any server shows: one that is down, or back without its data, takes nobody out. What a
 * server shows that has missed something (a report, a leave) counts less than what the others show, and ends with its
 * time.
 *
 * Where the servers have been out of reach, or a majority has begun anew, members that were known before are kept for
 * the time of a membership: whoever is alive has renewed by then. Without that, the first to come back would see only
 * itself, and take everything.
 *
 * The time is the middle one of the servers', so that one wrong clock does not decide.
 */
export class RedisMembership implements Membership {
  private readonly servers: RedisServers
  private readonly keys: RedisKeys
  private readonly continuity: Continuity
  private renewals = 0

  constructor(servers: RedisServers, options: RedisMembershipOptions) {
    this.servers = servers
    this.keys = keysOf(options.prefix)
    this.continuity = new Continuity(servers.majority)
  }

  async renew(member: Member, ttlMs: number): Promise<Renewal> {
    const answers = await this.ask(member, ttlMs).catch((fault) => {
      this.continuity.interrupted()
      throw fault
    })
    const now = this.servers.clock.elapsed()
    const yes = answers.filter(({ value }) => value.isMember)
    const isMember = yes.length >= this.servers.majority
    if (!isMember) await this.giveBack(member, yes)
    const lists = answers.map(({ value }) => value.registrations)
    const found = membersOf(isMember ? lists : lists.map((list) => list.filter((one) => !isOf(one, member))))
    const since = new Map(answers.map(({ server, value }) => [server.name, value.since]))
    const members = this.continuity.heard({ found, since, ttlMs, now })
    const at = median(answers.map(({ value }) => value.at))
    return { outcome: isMember ? 'member' : 'taken', members, at }
  }

  async leave(nodeId: string, instance: string): Promise<void> {
    const { members, membersUntil } = this.keys
    this.continuity.left(nodeId, instance)
    await this.servers.ask(`Leaving as ${nodeId}`, (server) =>
      server.run(leaveScript, [members, membersUntil], [nodeId, encodeURIComponent(instance)]),
    )
  }

  private ask(member: Member, ttlMs: number) {
    const { members, membersUntil, membersSince } = this.keys
    this.renewals += 1
    const instance = encodeURIComponent(member.instance)
    const ttl = Math.max(1, Math.round(ttlMs))
    const values = [member.nodeId, instance, this.renewals, JSON.stringify(member), ttl]
    return this.servers.ask(`Renewing ${member.nodeId}`, async (server) =>
      answerOf(await server.run(renewScript, [members, membersUntil, membersSince], values)),
    )
  }

  /** Waited for, so that the rival's next renewal finds it done; what is not given back in time ends with its own. */
  private async giveBack({ nodeId, instance }: Member, from: readonly Answer<unknown>[]): Promise<void> {
    const { members, membersUntil } = this.keys
    const values = [nodeId, encodeURIComponent(instance)]
    const given = from.map(({ server }) => server.run(leaveScript, [members, membersUntil], values))
    await this.servers.inTime(`Giving back ${nodeId}`, Promise.allSettled(given)).catch(() => {})
  }
}

interface RenewAnswer {
  readonly isMember: boolean
  readonly at: number
  /** Since when the server has kept members. */
  readonly since: number
  readonly registrations: readonly Registration[]
}

function answerOf(reply: unknown): RenewAnswer {
  const [taken, at, since, list] = reply as RenewReply
  return { isMember: taken === 0, at, since, registrations: list.map(registrationOf) }
}

function registrationOf([value, leftMs]: readonly [string, number]): Registration {
  const afterNumber = value.indexOf(' ')
  const afterInstance = value.indexOf(' ', afterNumber + 1)
  return {
    number: Number(value.slice(0, afterNumber)),
    leftMs,
    member: JSON.parse(value.slice(afterInstance + 1)) as Member,
  }
}

const isOf = ({ member }: Registration, { nodeId, instance }: Member): boolean =>
  member.nodeId === nodeId && member.instance === instance
