import { followFiles } from '../../../platform/files/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import { boundedLogger } from '../../../platform/log/index.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { type AnyObject, CONFIG_MAPS, createInformer, type InformerPorts } from '../kubernetes/index.ts'
import type { Access } from './access.ts'
import { ClientAuthority } from './client-authority.ts'
import { createAccess } from './create-access.ts'

/** Where the client authority is: in a file, or handed in. */
export type ClientAuthoritySource = { readonly file: string } | { readonly pem: string }

export interface AccessModule extends Module {
  /** There before the start. Until the authority is known, no certificate is believed. */
  readonly access: Access
  readonly authority: ClientAuthority
}

/** kube-apiserver writes it and keeps it true. */
const PUBLISHED = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }
const KEY = 'client-ca-file'

/** Who callers of the cloud half are and what they may do; without a source, by the authority that the API servers of the cluster publish. Its start does not wait for the API. */
export function createAccessModule(source: ClientAuthoritySource | undefined, ports: InformerPorts): AccessModule {
  const authority = new ClientAuthority()
  if (source && 'pem' in source) authority.replace(source.pem)
  const log = boundedLogger(ports.log, ports)
  const take = (bundle: string, from: string) => {
    try {
      if (authority.replace(bundle)) log.info('Took the authority of client certificates', { from })
    } catch (error) {
      log.warn('The authority of client certificates cannot be read; the last one counts', { from, error })
    }
  }
  return {
    name: 'Access',
    access: createAccess({ ...ports, authority }),
    authority,
    async start(scope) {
      if (source === undefined) {
        const { troubles: _troubles, ...plain } = ports
        const { namespace, name } = PUBLISHED
        const published = createInformer(
          CONFIG_MAPS,
          {
            ...{ namespace, fieldSelector: `metadata.name=${name}` },
            onTrouble: (error) =>
              log.warn('The authority of client certificates is not known: callers need a token until it can be read', {
                ...PUBLISHED,
                error: describeError(error),
              }),
          },
          plain,
        )
        scope.use(published.onChange((now) => now && take(bundleIn(now), `ConfigMap ${namespace}/${name}`)))
        scope.run((signal) => published.run(signal))
      } else if ('file' in source) {
        const { file } = source
        const followed = followFiles({
          paths: [file],
          clock: ports.clock,
          take: ([bundle = '']) => take(bundle, file),
          onTrouble: (error) =>
            log.warn('A file with certificates cannot be read', { file, error: describeError(error) }),
        })
        await followed.look()
        scope.run((signal) => followed.run(signal))
      }
    },
  }
}

function bundleIn(object: AnyObject): string {
  const data: unknown = Reflect.get(object, 'data')
  const bundle = isRecord(data) ? data[KEY] : undefined
  return typeof bundle === 'string' ? bundle : ''
}
