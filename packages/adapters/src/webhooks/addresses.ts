import { BlockList, isIP } from 'node:net'

/** An address of the Internet protocol as it is compared here: v4 in v6 is v4. Undefined: it is none. */
export interface Address {
  readonly text: string
  readonly family: 'ipv4' | 'ipv6'
}

export function addressOf(text: string): Address | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  const family = isIP(bare)
  if (family === 4) return { text: bare, family: 'ipv4' }
  if (family !== 6) return undefined
  // A URL has one spelling of each address.
  const spelled = new URL(`http://[${bare}]/`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(spelled) ?? []
  if (high === undefined || low === undefined) return { text: spelled, family: 'ipv6' }
  const bytes = [high, low].flatMap((part) => {
    const value = Number.parseInt(part, 16)
    return [value >> 8, value & 0xff]
  })
  return { text: bytes.join('.'), family: 'ipv4' }
}

/** No machine of the public Internet: RFC 6890 and its registry. */
const notPublicV4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; 100.100.100.200 is the metadata of a cloud
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // public by its number, and a cloud's way into its own machines
  '169.254.0.0/16', // link-local, and the metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; 192.0.0.192 is the metadata of a cloud
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and broadcast
]

/** Of v6 only 2000::/3 is public at all: loopback, link-local, unique local, NAT64 and multicast are outside of it. */
const publicV6 = '2000::/3'
const notPublicV6 = [
  '2001::/23', // protocol assignments, Teredo, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: any v4 address within
  '3fff::/20', // documentation
]

const publicRange = listOf([publicV6])
const special = listOf([...notPublicV4, ...notPublicV6])

export const isPublic = ({ text, family }: Address): boolean =>
  (family === 'ipv4' || publicRange.check(text, family)) && !special.check(text, family)

/** A list that knows whether it has an address. */
function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const parsed = parseRange(range)
    if (parsed === undefined) throw new Error(`${range} is no range of addresses`)
    list.addSubnet(parsed.address.text, parsed.bits, parsed.address.family)
  }
  return list
}

export interface Range {
  readonly has: (address: Address) => boolean
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. Undefined: it is none of these. */
export function rangeOf(text: string): Range | undefined {
  const parsed = parseRange(text)
  if (parsed === undefined) return undefined
  const list = new BlockList()
  list.addSubnet(parsed.address.text, parsed.bits, parsed.address.family)
  return { has: (address) => list.check(address.text, address.family) }
}

function parseRange(text: string): { readonly address: Address; readonly bits: number } | undefined {
  const [, written = '', bitsText] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = addressOf(written)
  if (address === undefined) return undefined
  const most = address.family === 'ipv4' ? 32 : 128
  const bits = bitsText === undefined ? most : Number(bitsText)
  return bits > most ? undefined : { address, bits }
}
