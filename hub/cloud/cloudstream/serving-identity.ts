import { checkServing } from '../../../platform/certificates/index.ts'
import { followFiles } from '../../../platform/files/index.ts'
import { describeError, type Scope } from '../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { ServingCertificate } from '../authority/cloud-authority.ts'
import type { AuthorityHolder } from '../authority/module.ts'

/** Certificate (with its chain) and key, PEM, that API servers know. */
export interface ServingFiles {
  readonly certificate: string
  readonly key: string
}

export interface ServingIdentityPorts {
  readonly authority: AuthorityHolder
  readonly clock: Clock
  readonly log: Logger
}

/** What the stream endpoint shows. */
export interface ServingIdentity {
  readonly current: ServingCertificate
  onChange(handler: () => void): void
}

/** From files, looked at again and again; else made by the authority of the cloud half for these names. */
export async function openServingIdentity(
  { names, files }: { readonly names: readonly string[]; readonly files?: ServingFiles },
  ports: ServingIdentityPorts,
  scope: Scope,
): Promise<ServingIdentity> {
  const own = await ports.authority.current.serveAs(names)
  let current = own
  let onChange: () => void = () => undefined
  if (files) {
    const log = boundedLogger(ports.log, ports)
    const followed = followFiles({
      paths: [files.certificate, files.key],
      clock: ports.clock,
      take([certificatePem = '', keyPem = '']) {
        // Throws where one is not whole or the two do not belong together, as happens while they are being replaced.
        checkServing({ cert: certificatePem, key: keyPem })
        current = { certificatePem, keyPem }
        onChange()
      },
      onTrouble: (error) =>
        log.warn('The certificate of the stream endpoint cannot be read; the last one, or one of our own, is shown', {
          ...files,
          error: describeError(error),
        }),
    })
    await followed.look()
    scope.run((signal) => followed.run(signal))
  }
  return {
    get current() {
      return current
    },
    onChange(handler) {
      onChange = handler
    },
  }
}
