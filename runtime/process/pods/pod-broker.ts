import { join } from 'node:path'
import type { Bus } from '../../../platform/bus/index.ts'
import { Accounts, type EmbeddedBrokerOptions, type Ports } from '../../../platform/bus/mqtt/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import type { Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { mqttAccounts, mqttForPods } from '../../../schemas/index.ts'
import { type AddressTools, openNodeAddress } from './node-address.ts'

export interface PodBrokerOptions {
  readonly bus: Bus
  /** By which pods reach this node. */
  readonly address: string
  /** The port for pods is kept in it: containers that run on over a restart have it in their environment. */
  readonly folder: string
  /** For pods on the network of the node. */
  readonly nearHost: string
  readonly log: Logger
  readonly tools?: AddressTools
}

/** What makes the embedded broker one for pods: accounts from the bus, and an address that they reach. */
export interface PodBroker {
  /** Starts before the broker. */
  readonly module: Module
  readonly options: Required<Pick<EmbeddedBrokerOptions, 'accounts' | 'forPods' | 'onListening'>>
}

export function composePodBroker({ bus, address, folder, nearHost, log, tools }: PodBrokerOptions): PodBroker {
  const accounts = new Accounts()
  bus.watch(mqttAccounts, ({ key, value }) => (value ? accounts.set(key, value) : accounts.remove(key)))
  const file = join(folder, 'pod-port')
  let refusal: string | undefined = 'the broker of this node has not started'
  let remembered = 0

  const onListening = async ({ tcp, pods }: Ports) => {
    const offer = { host: address, port: pods ?? 0 }
    bus.set(mqttForPods, 'host', { host: nearHost, port: tcp })
    bus.set(mqttForPods, 'pod', pods === undefined ? { refusal: refusal ?? unheard(address) } : offer)
    if (pods === undefined || pods === remembered) return
    remembered = pods
    await ensureDirectory(folder, 0o700)
    await writeFileAtomic(file, `${pods}\n`, 0o600)
  }
  return {
    options: {
      ...{ accounts, onListening },
      forPods: () => (refusal === undefined ? { host: address, ports: remembered > 0 ? [remembered] : [] } : undefined),
    },
    module: {
      name: 'PodAddress',
      async start() {
        const found = await openNodeAddress(address, tools)
        refusal = 'refusal' in found ? found.refusal : undefined
        remembered = Number(await readFileIfPresent(file)) || 0
        if (refusal !== undefined) log.warn('Pods cannot reach the broker of this node', { reason: refusal })
        else if ('device' in found) log.info('This node has an address for its pods', { ...found })
      },
    },
  }
}

/** The broker of the node makes no accounts. */
export function refusePods(bus: Bus): void {
  for (const key of ['pod', 'host']) bus.set(mqttForPods, key, { refusal: NO_ACCOUNTS })
}

const NO_ACCOUNTS =
  'the broker of this node is an external one, on which no accounts are made for pods: set mqtt.mode to internal or both'

function unheard(address: string): string {
  return `the broker of this node cannot listen on ${address}: its log says why`
}
