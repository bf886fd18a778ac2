import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { PortFault } from '@almanac/engine'

/** Who asks a server, and whom it trusts, beside what its address says. What is in both is refused. */
export interface ServerAccess {
  readonly user?: string
  readonly password?: string
  /** File with the certificates to trust instead of the system's, in PEM. Asks for TLS. */
  readonly caFile?: string
  /** Files of a certificate and its key, in PEM: for servers that ask callers for one. */
  readonly certFile?: string
  readonly keyFile?: string
}

/** What the files hold, for a connection with TLS. */
export interface TlsFiles {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

/**
 * Reads the files of an access. Throws an `Error` that names the file when it can't be read, has no certificate in it,
 * or has a key that is not that of its certificate.
 */
export function readTlsFiles({ caFile, certFile, keyFile }: ServerAccess): TlsFiles {
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw new Error('a certificate and its key belong together, and one of them is missing')
  }
  const ca = caFile === undefined ? {} : { ca: certificatesIn(caFile) }
  if (certFile === undefined || keyFile === undefined) return ca
  const pair = { cert: certificatesIn(certFile), key: contentsOf(keyFile) }
  try {
    createSecureContext(pair)
  } catch (error) {
    throw new Error(`the file "${keyFile}" has no key of the certificate in "${certFile}"`, { cause: error })
  }
  return { ...ca, ...pair }
}

function certificatesIn(file: string): string {
  const text = contentsOf(file)
  try {
    new X509Certificate(text)
  } catch (error) {
    throw new Error(`the file "${file}" has no certificate in PEM`, { cause: error })
  }
  return text
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`the file "${file}" can not be read`, { cause: error })
  }
}

/**
 * `credentials`: the server does not know the user, the password is another, or the user may not do this.
 * `certificate`: the server is not one that is trusted, or does not trust this process.
 */
export type AccessProblem = 'credentials' | 'certificate'

/**
 * The server is there, and there is no way in with what this process has been told. Nothing was changed. It comes right
 * when somebody changes the one or the other, so a process that runs goes on trying.
 */
export class AccessRefused extends PortFault {
  readonly problem: AccessProblem

  constructor(problem: AccessProblem, message: string, cause?: unknown) {
    super('unavailable', message, true, cause)
    this.problem = problem
  }
}

/** What Node calls a certificate that does not pass, and what the other side says of ours. */
const certificateCode = new RegExp(
  [
    '^(CERT_|CRL_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)',
    '^UNABLE_TO_(GET|VERIFY|DECRYPT|DECODE)_',
    '^ERR_TLS_CERT_ALTNAME_INVALID$',
    '^ERR_SSL_.*(ALERT_((NO|BAD|UNSUPPORTED)_CERTIFICATE|UNKNOWN_CA)|CERTIFICATE_(REQUIRED|UNKNOWN|REVOKED|EXPIRED))',
    '^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$',
  ].join('|'),
)

/** True for the code of an error by which TLS ends when one side does not take the other for whom it says it is. */
export const isCertificateCode = (code: unknown): boolean =>
  typeof code === 'string' && certificateCode.test(code)
