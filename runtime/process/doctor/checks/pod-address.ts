import { networkInterfaces } from 'node:os'
import { type Check, type Finding, ok, warn } from '../finding.ts'

/** The address by which pods find the broker. */
export const podAddress: Check = {
  name: 'pods',
  async run({ edge }) {
    if (!edge?.config.edged.enabled || edge.config.mqtt.mode === 'external') return []
    const { address } = edge.config.edged.twins
    const all = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((each) => each.address))
    return [judgeAddress(address, all.includes(address), process.getuid?.() === 0)]
  },
}

export function judgeAddress(address: string, isThere: boolean, isRoot: boolean): Finding {
  if (isThere) return ok(`pods find the broker at ${address}`)
  if (!address.startsWith('169.254.')) {
    return warn(
      `no interface has ${address}, by which pods find the broker`,
      'set edged.twins.address to an address of this machine',
    )
  }
  if (isRoot) return ok(`${address}, by which pods find the broker, is added when the first pod needs it`)
  return warn(
    `only root can add ${address}, by which pods find the broker`,
    `run skerry edge as root, or once: ip address add ${address}/32 dev lo`,
  )
}
