import { isIPv6 } from 'node:net'
import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Container } from '../pod/schema/container.ts'
import type { PortReference } from '../pod/schema/parts.ts'

/** The number of a port, which may be given by the name that the container's ports have for it. Throws where there is none. */
export function portOf(
  reference: PortReference,
  { name: container, ports }: Pick<Container, 'name' | 'ports'>,
): number {
  if (typeof reference === 'number') return reference
  const named = ports.find(({ name }) => name === reference)
  if (named) return named.containerPort
  const number = /^\d{1,5}$/.test(reference) ? Number(reference) : 0
  if (number > 0 && number < 65_536) return number
  throw new RefusedError(`port ${reference} not found: no port of container ${container} has that name`, {
    code: 'EDGED_NO_SUCH_PORT',
    fields: { container, port: reference },
  })
}

/** Where a container is asked: at the host that is named, else at its pod. Throws where the pod has no address. */
export function hostOf(named: string | undefined, podIp: string): string {
  const host = named || podIp
  if (host !== '') return host
  throw new RefusedError('the pod has no address', { code: 'EDGED_NO_ADDRESS' })
}

/** `10.1.2.3:80`, `[fd00::1]:80`. */
export function hostAndPort(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
