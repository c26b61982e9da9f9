import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { StreamServerOptions } from '../../hub/cloud/index.ts'
import { ConfigError, describeError, UnavailableError } from '../../platform/lifecycle/index.ts'

/** The stream endpoint of this process, as the embedded API meets it. */
export interface OwnEndpoint {
  /** Undefined: there is none. */
  readonly stream: StreamServerOptions | undefined
  /** PEM of the CA of the cloud half; nothing before that is open. */
  ownCa(): string | undefined
}

/**
 * By which authority the embedded API checks what is shown at an address of a Node: at that of the stream endpoint the CA of the
 * cloud half, which made its certificate; elsewhere, and where the endpoint shows files, the configured one, or nothing. Throws
 * ConfigError for a file that holds no certificate.
 */
export async function kubeletAuthorities(
  file: string | undefined,
  { stream, ownCa }: OwnEndpoint,
): Promise<(host: string) => string | undefined> {
  const configured = file === undefined ? undefined : await readAuthority(file)
  const own = stream?.nodes.by === 'ports' && !stream.serving ? stream.nodes.address : undefined
  return (host) => {
    if (host !== own) return configured
    const ca = ownCa()
    if (ca !== undefined) return ca
    throw new UnavailableError('the CA of the cloud half is not open yet: try again in a moment', {
      code: 'PROCESS_KUBELETS_NOT_YET',
    })
  }
}

async function readAuthority(file: string): Promise<string> {
  try {
    const pem = await readFile(file, 'utf8')
    return new X509Certificate(pem).raw.length > 0 ? pem : ''
  } catch (cause) {
    throw new ConfigError(`kubernetes.kubeletCa is no file with certificates (PEM): ${describeError(cause)}`, {
      code: 'PROCESS_KUBELETS_CONFIG',
      fields: { pointer: '/kubernetes/kubeletCa', file },
      cause,
    })
  }
}
