import { isSidecar, type Pod } from './pod.ts'

/** A port of this node that leads to a pod. */
export interface HostPort {
  readonly protocol: string
  readonly port: number
  /** Of the address of this node alone; empty: of all. */
  readonly ip: string
}

/** The ports of this node that a pod takes, as long as it is there. */
export function hostPortsOf({ spec }: Pod): readonly HostPort[] {
  const all = [...spec.initContainers.filter(isSidecar), ...spec.containers].flatMap(({ ports }) => ports)
  return all.flatMap(({ protocol, containerPort, hostPort = 0, hostIP = '' }) => {
    const port = spec.hostNetwork ? hostPort || containerPort : hostPort
    return port === 0 ? [] : [{ protocol, port, ip: hostIP === '0.0.0.0' || hostIP === '::' ? '' : hostIP }]
  })
}

export function collide(one: HostPort, other: HostPort): boolean {
  const isSamePlace = one.ip === '' || other.ip === '' || one.ip === other.ip
  return one.port === other.port && one.protocol === other.protocol && isSamePlace
}
