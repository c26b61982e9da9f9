import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { identityFiles } from '../../../../hub/edge/index.ts'
import { hasCode } from '../../../../platform/lifecycle/index.ts'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'

const DAY_MS = 86_400_000
/** A certificate is renewed long before; with so little left, it was not. */
const FEW_DAYS = 7
const JOIN = 'skerry join --force with a new token (skerry token create at the cloud half)'

/** The identity of the edge. */
export const certificates = (now: () => number): Check => ({
  name: 'certificates',
  async run({ edge }) {
    if (!edge) return []
    const files = identityFiles(edge.directory, edge.config.certificates)
    try {
      const [ca, certificate, key] = await Promise.all([
        readFile(files.ca),
        readFile(files.certificate),
        readFile(files.key),
      ])
      const { mode } = await stat(files.key)
      const own = new X509Certificate(certificate)
      return [
        judgeCertificate('the CA of the cloud half', new X509Certificate(ca), now()),
        judgeCertificate('the certificate of this node', own, now()),
        own.checkPrivateKey(createPrivateKey(key))
          ? (mode & 0o077) === 0
            ? ok(`the key is for its owner alone`)
            : fail(`others may read ${files.key}`, `chmod 600 ${files.key}`)
          : fail('the key is not that of the certificate', JOIN),
      ]
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [fail('this node has no identity: it has not joined', JOIN)]
      if (hasCode(error, 'EACCES'))
        return [warn('the certificates are not for this user', 'run as the user that Skerry runs as')]
      return [fail(`the certificates cannot be read: ${error instanceof Error ? error.message : String(error)}`, JOIN)]
    }
  },
})

export function judgeCertificate(
  what: string,
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  nowMs: number,
): Finding {
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)]
  const clock = 'set the clock of this machine (timedatectl set-ntp true)'
  if (nowMs < from) return fail(`${what} is valid from ${validFrom} on: the clock is behind`, clock)
  const days = Math.floor((to - nowMs) / DAY_MS)
  if (nowMs >= to) return fail(`${what} ended on ${validTo}`, `if the clock is right: ${JOIN}`)
  return days < FEW_DAYS
    ? warn(
        `${what} ends on ${validTo}`,
        'start skerry edge and let it reach the cloud half: it renews its certificate by itself',
      )
    : ok(`${what} is valid for ${days} days`)
}
