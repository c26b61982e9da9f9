import { join } from 'node:path'
import type { Bus } from '../../../platform/bus/index.ts'
import { Accounts, type EmbeddedBroker, type EmbeddedBrokerOptions } from '../../../platform/bus/mqtt/index.ts'
import { ensureDirectory, readFileIfPresent, writeFileAtomic } from '../../../platform/files/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type MqttForPods, mqttAccounts, mqttForPods } from '../../../schemas/index.ts'
import { type AddressTools, openNodeAddress } from './node-address.ts'

export interface PodBrokerOptions {
  readonly bus: Bus
  /** By which pods reach this node. */
  readonly address: string
  /** The port for pods is kept in it: containers that run on over a restart have it in their environment. */
  readonly folder: string
  /** For pods on the network of the node. */
  readonly nearHost: string
  readonly broker: () => EmbeddedBroker
  readonly log: Logger
  readonly tools?: AddressTools
}

/**
 * What makes an embedded broker one for pods: accounts from the bus, and an address that they reach. The address is made, and
 * listened on, when the first pod asks for it, and at the start where there are pods from before.
 */
export class PodBroker {
  readonly brokerOptions: Pick<EmbeddedBrokerOptions, 'accounts' | 'forPods' | 'onListening'>
  readonly #options: PodBrokerOptions
  readonly #accounts = new Accounts()
  readonly #file: string
  #remembered: number | undefined
  #isOpen = false
  #isServing = false
  /** Of the broker as it runs now. */
  #opening: Promise<MqttForPods> | undefined

  constructor(options: PodBrokerOptions) {
    const { bus, address, folder } = options
    this.#options = options
    this.#file = join(folder, 'pod-port')
    this.brokerOptions = {
      accounts: this.#accounts,
      forPods: () => (this.#isOpen ? { host: address, ports: this.#remembered ? [this.#remembered] : [] } : undefined),
      onListening: () => this.#begin(),
    }
    bus.watch(mqttAccounts, ({ key, value }) => (value ? this.#accounts.set(key, value) : this.#accounts.remove(key)))
    bus.serve(mqttForPods, async ({ network }) => this.#placeOf(network))
  }

  async #begin(): Promise<void> {
    this.#isServing = true
    const wasAsked = this.#opening !== undefined || this.#accounts.size > 0
    this.#opening = undefined
    if (wasAsked) await this.#placeOf('pod')
  }

  async #placeOf(network: 'pod' | 'host'): Promise<MqttForPods> {
    const { nearHost, broker } = this.#options
    if (!this.#isServing) return { refusal: 'the broker of this node has not started' }
    if (network === 'host') return { host: nearHost, port: broker().ports.tcp }
    const opening = this.#opening ?? this.#open()
    this.#opening = opening
    const place = await opening
    // Somebody may add the address meanwhile.
    if ('refusal' in place && this.#opening === opening) this.#opening = undefined
    return place
  }

  async #open(): Promise<MqttForPods> {
    const { address, tools, broker, log } = this.#options
    const found = await openNodeAddress(address, tools)
    if ('refusal' in found) {
      log.warn('Pods cannot reach the broker of this node', { reason: found.refusal })
      return found
    }
    if ('device' in found) log.info('This node has an address for its pods', { ...found })
    this.#remembered ??= Number(await readFileIfPresent(this.#file)) || 0
    this.#isOpen = true
    const port = await broker().listenForPods()
    if (port === undefined) {
      return { refusal: `the broker of this node cannot listen on ${address}: its log says why` }
    }
    await this.#remember(port)
    return { host: address, port }
  }

  async #remember(port: number): Promise<void> {
    if (port === this.#remembered) return
    this.#remembered = port
    await ensureDirectory(this.#options.folder, 0o700)
    await writeFileAtomic(this.#file, `${port}\n`, 0o600)
  }
}

/** The broker of the node makes no accounts. */
export function refusePods(bus: Bus): void {
  bus.serve(mqttForPods, async () => ({ refusal: NO_ACCOUNTS }))
}

const NO_ACCOUNTS =
  'the broker of this node is an external one, on which no accounts are made for pods: set mqtt.mode to internal or both'
