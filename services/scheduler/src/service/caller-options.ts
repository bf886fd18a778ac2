import type { OptionSpec } from '@almanac/adapters/system'

/** How who asks Almanac shows who he is, beside the keys that are made while it runs. */
export const callerOptions = {
  bootstrapKey: {
    kind: 'text',
    secret: true,
    default: null,
    description:
      'A key that opens everything, to make the first key with and to get in again: `alm_`, 12 of 0-9 and a-z, ' +
      'a point, and 43 or more random characters; `almanac keys generate` prints one. Flags can be read by all ' +
      'users of a host: use the file.',
  },
  bootstrapKeyFile: {
    kind: 'text',
    default: null,
    description:
      'File with the bootstrap key; one line break at its end is no part of it. Read at the start.',
  },
  jwtJwks: {
    kind: 'text',
    default: null,
    description:
      'Where the public keys of the issuer of tokens are (JWKS): an address with https, or a file. With it tokens ' +
      '(JWT) are taken as well as keys. Set `jwtIssuer` and `jwtAudience` too.',
  },
  jwtIssuer: { kind: 'text', default: null, description: 'What the claim `iss` of a token has to be.' },
  jwtAudience: { kind: 'text', default: null, description: 'What the claim `aud` of a token has to have.' },
  jwtAlgorithms: {
    kind: 'text',
    default: 'RS256,PS256,ES256,EdDSA',
    description: 'Signatures that are taken, with commas between. None with a shared secret can be named.',
  },
  jwtScopeClaim: {
    kind: 'text',
    default: 'scope',
    description: 'Claim of a token with its scopes: a text with blanks between, or a list.',
  },
  jwtNamespaceClaim: {
    kind: 'text',
    default: 'almanac_namespaces',
    description:
      'Claim of a token with the namespaces that it opens: one, or a list; `*`: all. Without it: none.',
  },
  callerRate: {
    kind: 'number',
    min: 0,
    max: 1_000_000,
    unit: 'requests/s',
    default: 1_000,
    description:
      'How often one credential may ask, with bursts of one second’s worth; 0: as often as it likes. All nodes of a ' +
      'cluster count together. Without credentials nobody is counted.',
  },
  namespaceRate: {
    kind: 'number',
    min: 0,
    max: 1_000_000,
    unit: 'requests/s',
    default: 5_000,
    description: 'The same for all credentials in one namespace together.',
  },
} as const satisfies { readonly [name: string]: OptionSpec }
