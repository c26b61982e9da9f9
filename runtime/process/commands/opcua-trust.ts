import { openTrustStore, type TrustedCertificate } from '../../../mappers/opcua/index.ts'
import { ConfigError, describeError } from '../../../platform/lifecycle/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { mapperFolder } from '../mapper-folder.ts'
import type { Console } from '../terminal.ts'

/** `skerry opcua list`: certificates of OPC UA servers that are trusted, and those that wait for somebody to decide. */
export async function listCertificates(options: CommonOptions, terminal: Console): Promise<number> {
  const found = await (await openStore(options)).list()
  const lines = (title: string, certificates: readonly TrustedCertificate[]) => [
    `${title}: ${certificates.length === 0 ? 'none' : ''}`.trimEnd(),
    ...certificates.map(({ fingerprint, subject, validTo }) => `  ${fingerprint}  ${subject}, until ${validTo}`),
  ]
  const text = [...lines('trusted', found.trusted), ...lines('rejected', found.rejected)].join('\n')
  terminal.print(options.output, found, text)
  return EXIT.ok
}

/** `skerry opcua trust FINGERPRINT` and `reject`: the mapper tries again by itself, within seconds. */
export async function decideCertificate(
  decision: 'trust' | 'reject',
  fingerprint: string,
  options: CommonOptions,
  terminal: Console,
): Promise<number> {
  const store = await openStore(options)
  const moved = await store[decision](fingerprint).catch((error: unknown) => {
    throw new ConfigError(`${describeError(error)}; see skerry opcua list`, { code: 'PROCESS_CERTIFICATE_UNKNOWN' })
  })
  const done = decision === 'trust' ? 'trusted' : 'rejected'
  terminal.print(options.output, { [done]: moved }, `${moved.subject} (${moved.fingerprint}) is ${done}`)
  return EXIT.ok
}

function openStore({ data }: CommonOptions) {
  return openTrustStore(mapperFolder(data, 'opcua'))
}
