import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A certificate in one of the two folders. */
export interface TrustedCertificate {
  /** SHA-256, lower-case hexadecimal. */
  readonly fingerprint: string
  readonly file: string
  readonly subject: string
  /** When its validity ends, as the certificate says it. */
  readonly validTo: string
}

/**
 * Which certificates of servers are trusted: files in `trusted/`, PEM or DER, of servers or of authorities that issue
 * certificates for them. What was shown and is not trusted lies in `rejected/`. Moving a file between the two is all that trusting is.
 */
export interface TrustStore {
  list(): Promise<{ readonly trusted: readonly TrustedCertificate[]; readonly rejected: readonly TrustedCertificate[] }>
  /** Moves the rejected certificate whose fingerprint begins so; throws unless there is exactly one. */
  trust(fingerprint: string): Promise<TrustedCertificate>
  /** Moves a trusted certificate back. */
  reject(fingerprint: string): Promise<TrustedCertificate>
  /**
   * The way from the first of the chain to a certificate that is trusted: itself, or an authority that issued it. Undefined where
   * there is none.
   */
  pathOf(chain: readonly X509Certificate[]): Promise<readonly X509Certificate[] | undefined>
  addTrusted(certificate: X509Certificate): Promise<string>
  /** Answers the file; keeps the newest hundred, so that a server that changes its certificate all the time fills no disk. */
  addRejected(certificate: X509Certificate): Promise<string>
}

const KEPT_REJECTED = 100
const LONGEST_CHAIN = 10
/** A file that is larger is no certificate. */
const LARGEST_FILE = 64 * 1024
const SHORTEST_FINGERPRINT = 8

type Folder = 'trusted' | 'rejected'

export async function openTrustStore(folder: string): Promise<TrustStore> {
  for (const name of ['trusted', 'rejected']) await mkdir(join(folder, name), { recursive: true, mode: 0o700 })
  return new FolderTrustStore(folder)
}

export function fingerprintOf(certificate: X509Certificate): string {
  return normalFingerprint(certificate.fingerprint256)
}

export function normalFingerprint(text: string): string {
  return text.replaceAll(':', '').toLowerCase()
}

interface Entry extends TrustedCertificate {
  readonly certificate: X509Certificate
}

class FolderTrustStore implements TrustStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async list() {
    return {
      trusted: (await this.#entries('trusted')).map(shown),
      rejected: (await this.#entries('rejected')).map(shown),
    }
  }

  trust(fingerprint: string): Promise<TrustedCertificate> {
    return this.#move(fingerprint, 'rejected', 'trusted')
  }

  reject(fingerprint: string): Promise<TrustedCertificate> {
    return this.#move(fingerprint, 'trusted', 'rejected')
  }

  async pathOf(chain: readonly X509Certificate[]): Promise<readonly X509Certificate[] | undefined> {
    const trusted = (await this.#entries('trusted')).map(({ certificate }) => certificate)
    const [leaf, ...sent] = chain
    if (!leaf) return undefined
    const path = [leaf]
    let current = leaf
    while (path.length < LONGEST_CHAIN) {
      if (trusted.some(({ raw }) => raw.equals(current.raw))) return path
      const known = trusted.find((certificate) => isIssuer(certificate, current))
      if (known) return [...path, known]
      const next = sent.find((candidate) => isIssuer(candidate, current) && !candidate.raw.equals(current.raw))
      if (!next) return undefined
      current = next
      path.push(next)
    }
    return undefined
  }

  addTrusted(certificate: X509Certificate): Promise<string> {
    return this.#add('trusted', certificate)
  }

  async addRejected(certificate: X509Certificate): Promise<string> {
    const file = await this.#add('rejected', certificate)
    const files = await this.#files('rejected')
    if (files.length > KEPT_REJECTED) {
      const aged = await Promise.all(files.map(async (path) => ({ path, at: (await stat(path)).mtimeMs })))
      aged.sort((left, right) => left.at - right.at)
      for (const { path } of aged.slice(0, files.length - KEPT_REJECTED))
        if (path !== file) await rm(path, { force: true })
    }
    return file
  }

  async #add(folder: Folder, certificate: X509Certificate): Promise<string> {
    const known = (await this.#entries(folder)).find((entry) => entry.certificate.raw.equals(certificate.raw))
    if (known) return known.file
    const file = join(this.#folder, folder, `${fingerprintOf(certificate)}.pem`)
    // Several devices may meet one server at once.
    const temporary = `${file}.${randomBytes(6).toString('hex')}.new`
    await writeFile(temporary, certificate.toString(), { mode: 0o600 })
    await rename(temporary, file)
    return file
  }

  async #move(fingerprint: string, from: Folder, to: Folder): Promise<TrustedCertificate> {
    const wanted = normalFingerprint(fingerprint)
    if (wanted.length < SHORTEST_FINGERPRINT) {
      throw new Error(`"${fingerprint}" is too short: give at least ${SHORTEST_FINGERPRINT} digits of the fingerprint`)
    }
    const found = (await this.#entries(from)).filter((entry) => entry.fingerprint.startsWith(wanted))
    const [entry, ...more] = found
    if (!entry) throw new Error(`no ${from} certificate has a fingerprint that begins with ${wanted}`)
    if (more.length > 0) throw new Error(`${found.length} ${from} certificates begin with ${wanted}: give more digits`)
    const file = join(this.#folder, to, `${entry.fingerprint}.pem`)
    await rename(entry.file, file)
    return shown({ ...entry, file })
  }

  async #entries(folder: Folder): Promise<readonly Entry[]> {
    const entries: Entry[] = []
    for (const file of await this.#files(folder)) {
      const certificate = await readCertificate(file)
      if (!certificate) continue
      const { subject, validTo } = certificate
      entries.push({ fingerprint: fingerprintOf(certificate), file, subject: nameOf(subject), validTo, certificate })
    }
    return entries
  }

  async #files(folder: Folder): Promise<readonly string[]> {
    const path = join(this.#folder, folder)
    const names = await readdir(path)
    return names.filter((name) => /\.(pem|der|crt|cer)$/i.test(name)).map((name) => join(path, name))
  }
}

/** The `CN` of a subject, or all of it on one line. */
export function nameOf(subject: string): string {
  return /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ')
}

/**
 * An issuer has to be an authority: else whoever is trusted as a server could vouch for others. Servers that sign their own
 * certificate often call themselves an authority; the URI of an application gives them away.
 */
function isIssuer(candidate: X509Certificate, certificate: X509Certificate): boolean {
  if (!candidate.ca || (candidate.subjectAltName ?? '').includes('URI:')) return false
  return certificate.checkIssued(candidate) && certificate.verify(candidate.publicKey)
}

/** Undefined for what is no certificate, e.g. a file that is just being copied. */
async function readCertificate(file: string): Promise<X509Certificate | undefined> {
  try {
    if ((await stat(file)).size > LARGEST_FILE) return undefined
    return new X509Certificate(await readFile(file))
  } catch {
    return undefined
  }
}

function shown({ fingerprint, file, subject, validTo }: TrustedCertificate): TrustedCertificate {
  return { fingerprint, file, subject, validTo }
}
