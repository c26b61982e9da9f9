import { X509Certificate } from 'node:crypto'

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
/** A bundle of a cluster has one or two. */
const MOST = 100

/** Whose client certificates are believed: for the context of a TLS server, and for each request. */
export class ClientAuthority {
  #pem = ''
  #certificates: readonly X509Certificate[] = []
  readonly #followers = new Set<(pem: string) => void>()

  /** The bundle, empty where there is none or none yet: then no certificate is believed. */
  get pem(): string {
    return this.#pem
  }

  get certificates(): readonly X509Certificate[] {
    return this.#certificates
  }

  /** Told of each later bundle. */
  onChange(handler: (pem: string) => void): Disposable {
    this.#followers.add(handler)
    return { [Symbol.dispose]: () => void this.#followers.delete(handler) }
  }

  /** Takes another bundle; false where it says the same. Throws where one of its certificates cannot be read, and keeps what it has. */
  replace(bundle: string): boolean {
    const blocks = [...new Set(bundle.match(PEM) ?? [])].slice(0, MOST)
    const pem = blocks.map((block) => `${block}\n`).join('')
    if (pem === this.#pem) return false
    this.#certificates = blocks.map((block) => new X509Certificate(block))
    this.#pem = pem
    for (const handler of this.#followers) handler(pem)
    return true
  }
}
