import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const openssl = (...args: readonly string[]) => promisify(execFile)('openssl', args)
const freshKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

/** A certificate with its key, as files in PEM. */
export interface Pair {
  readonly certFile: string
  readonly keyFile: string
}

const pairIn = (folder: string, name: string): Pair => ({
  certFile: join(folder, `${name}.crt`),
  keyFile: join(folder, `${name}.key`),
})

/** An authority of its own. */
export async function makeAuthority(folder: string, name: string): Promise<Pair> {
  const pair = pairIn(folder, name)
  const kind = ['-x509', ...freshKey, '-days', '2', '-subj', `/CN=${name}`]
  await openssl('req', ...kind, '-keyout', pair.keyFile, '-out', pair.certFile)
  return pair
}

/** A certificate for localhost that the authority vouches for, good for servers and for clients. */
export async function issue(folder: string, name: string, authority: Pair): Promise<Pair> {
  const pair = pairIn(folder, name)
  const request = join(folder, `${name}.csr`)
  const extensions = join(folder, `${name}.ext`)
  await openssl('req', ...freshKey, '-subj', `/CN=${name}`, '-keyout', pair.keyFile, '-out', request)
  const usage = 'extendedKeyUsage=serverAuth,clientAuth'
  await writeFile(extensions, `subjectAltName=DNS:localhost,IP:127.0.0.1\n${usage}\n`)
  const signed = ['-CA', authority.certFile, '-CAkey', authority.keyFile, '-CAcreateserial', '-days', '2']
  await openssl('x509', '-req', '-in', request, ...signed, '-extfile', extensions, '-out', pair.certFile)
  return pair
}

/** Key and certificate in one file, as Kafka wants them. */
export async function keyStoreOf(folder: string, { certFile, keyFile }: Pair): Promise<string> {
  const file = join(folder, 'keystore.pem')
  await writeFile(file, `${await readFile(keyFile, 'utf8')}${await readFile(certFile, 'utf8')}`)
  return file
}
