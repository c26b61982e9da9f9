import { execFile } from 'node:child_process'
import { networkInterfaces } from 'node:os'
import { promisify } from 'node:util'
import { describeError } from '../../../platform/lifecycle/index.ts'

/** What of the machine it takes to have an address. */
export interface AddressTools {
  /** Of all interfaces that are up. */
  addresses(): readonly string[]
  /** The program `ip` of iproute2; rejects with what it said. */
  ip(...args: readonly string[]): Promise<void>
}

export type NodeAddress =
  /** `device`: the interface that it was added to just now. */
  | { readonly address: string; readonly device?: string }
  /** Why it cannot be had, and what to do, for people. */
  | { readonly refusal: string }

const DEVICE = 'skerry0'
const PATIENCE_MS = 5000

/**
 * Sees to it that this machine has the address by which pods reach it. It stays when this process ends: pods that run on
 * come back to it, and another instance on this machine may listen there as well.
 */
export async function openNodeAddress(address: string, tools: AddressTools = machine): Promise<NodeAddress> {
  // The whole network of the loopback is there with one address of it.
  const isThere = () => address.startsWith('127.') || tools.addresses().includes(address)
  if (isThere()) return { address }
  if (!/^169\.254\.\d+\.\d+$/.test(address)) {
    return refuse(address, 'no interface of this machine has it. Name one that it has in edged.twins.address')
  }
  try {
    const device = await openDevice(tools)
    await tools.ip('address', 'add', `${address}/32`, 'dev', device)
    if (isThere()) return { address, device }
    return refuse(address, `it was added to ${device} and is not there`)
  } catch (error) {
    // Another instance may have been faster.
    if (isThere()) return { address }
    return refuse(
      address,
      `it cannot be added to this machine (${describeError(error)}). As root, run: ip address add ${address}/32 dev lo`,
    )
  }
}

/** An interface of its own; the one of the loopback where the kernel has none to give. */
async function openDevice(tools: AddressTools): Promise<string> {
  try {
    await tools.ip('link', 'add', DEVICE, 'type', 'dummy')
  } catch (error) {
    if (!/exists/i.test(describeError(error))) return 'lo'
  }
  await tools.ip('link', 'set', DEVICE, 'up')
  return DEVICE
}

function refuse(address: string, why: string): NodeAddress {
  return {
    refusal: `pods reach this node by the address ${address}, and ${why}. Pods with hostNetwork: true do not need it`,
  }
}

const run = promisify(execFile)

const machine: AddressTools = {
  addresses: () => Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)),
  async ip(...args) {
    await run('ip', args, { timeout: PATIENCE_MS, killSignal: 'SIGKILL' })
  },
}
