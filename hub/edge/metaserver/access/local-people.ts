import { createHash, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { CertificateError } from '../../../../platform/certificates/index.ts'
import { type Authority, createAuthority, loadAuthority } from '../../../../platform/certificates/issuing/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../../platform/files/index.ts'
import { type Clock, minutes, type Random } from '../../../../platform/time/index.ts'
import type { TokenAuthenticator } from '../../../serving/access/authentication.ts'
import { type Identity, openIdentity, readPair, writePair } from '../../../serving/access/stored-identity.ts'
import type { User } from '../../../serving/user.ts'
import { OPERATORS } from './rights.ts'

/** What the people of this node, and the loopback, have of their own: made here, in files of this machine alone. */
export interface LocalPeople {
  /** PEM of the authority that signed the rest. */
  readonly ca: string
  readonly serving: Identity
  /** Of the operator, for clients that show a certificate. */
  readonly operator: Identity
  /** Of the operator, for kubeconfigs. */
  readonly token: string
}

export interface LocalPeopleOptions {
  /** `DIR/metaserver`. */
  readonly folder: string
  readonly nodeName: string
  readonly clock: Clock
  readonly random: Random
}

const AUTHORITY_LIFE = minutes(10 * 365 * 24 * 60)
const NAMES = ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', '127.0.0.1', '::1']
const TOKEN_FILE = 'operator.token'
/** Of a common name, RFC 5280 appendix A.1. */
const LONGEST_NAME = 64

/** The local operator of a node, whom no cluster knows. */
export function operatorName(nodeName: string): string {
  return `skerry:node-operator:${nodeName}`
}

/** Reads what is there, makes what is missing or ends soon. Whoever has these files may do what an operator may. */
export async function openLocalPeople({ folder, nodeName, clock, random }: LocalPeopleOptions): Promise<LocalPeople> {
  await ensureDirectory(folder, 0o700)
  const authority = await openAuthority(folder, nodeName, clock)
  const open = (name: string, profile: Parameters<typeof openIdentity>[2]['profile']) =>
    openIdentity(folder, name, { authority, profile, clock })
  const commonName = operatorName(nodeName).slice(0, LONGEST_NAME)
  return {
    ca: authority.certificatePem,
    serving: await open('server', { subject: { commonName: 'metaserver' }, usages: ['serverAuth'], names: NAMES }),
    operator: await open('operator', {
      subject: { commonName, organizations: [OPERATORS] },
      usages: ['clientAuth'],
      names: [],
    }),
    token: await openToken(join(folder, TOKEN_FILE), random),
  }
}

/** Tells the operator's token, in the same time whatever is wrong with another. */
export function operatorTokens(token: string, nodeName: string): TokenAuthenticator {
  const known = digest(token)
  const user: User = { name: operatorName(nodeName), groups: [OPERATORS] }
  return async (given, audiences) => (timingSafeEqual(digest(given), known) ? { user, audiences } : undefined)
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

async function openAuthority(folder: string, nodeName: string, clock: Clock): Promise<Authority> {
  const stored = await readPair(folder, 'ca')
  try {
    if (stored) return loadAuthority(stored)
  } catch (error) {
    // What cannot be read is trusted by nobody: everything of it is made anew.
    if (!(error instanceof CertificateError)) throw error
  }
  const commonName = `skerry-metaserver-${nodeName}`.slice(0, LONGEST_NAME)
  const made = await createAuthority({ commonName, validity: AUTHORITY_LIFE, clock })
  await writePair(folder, 'ca', { certificate: made.certificatePem, privateKey: made.privateKeyPem })
  return made
}

async function openToken(file: string, random: Random): Promise<string> {
  const stored = (await readFileIfPresent(file))?.trim() ?? ''
  if (/^[\w-]{40,}$/.test(stored)) return stored
  const made = Buffer.from(random.bytes(32)).toString('base64url')
  await writeFileAtomic(file, `${made}\n`, 0o600)
  return made
}
