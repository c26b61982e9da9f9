import { ensureDirectory } from '../../../../platform/files/index.ts'
import { countRefusals } from '../../../../platform/http/index.ts'
import { describeError, type Scope } from '../../../../platform/lifecycle/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { type ApiForPods, type ApiForPodsQuestion, apiForPods, requestObject } from '../../../../schemas/index.ts'
import { objectAt, textAt } from '../../../kube/object/index.ts'
import type { Identity } from '../../../serving/access/stored-identity.ts'
import type { Exchange } from '../../../serving/answers/answer.ts'
import type { MetaServerPorts, MetaServerSettings, PodsNetwork } from '../metaserver-ports.ts'
import { isIssuedBy } from './certificate-files.ts'
import { Door } from './door.ts'
import { PodsCertificate } from './pods-certificate.ts'

/** How pods come to MetaServer: on their own network by the address of the node for them, on that of the node by the loopback. */
export interface PodsEntrance {
  /** Opens what pods of before come back to. */
  start(scope: Scope): Promise<void>
}

export interface PodsEntranceOptions extends Pick<MetaServerSettings, 'folder' | 'port'> {
  readonly network: PodsNetwork
  readonly answer: (exchange: Exchange, signal: AbortSignal) => Promise<void>
}

/** Every certificate for pods bears it. */
const LOOPBACK = '127.0.0.1'
/** For an object that this node should have. */
const MOMENT = seconds(3)

/** Answers on the bus where pods find MetaServer, from now on; questions wait for the start. */
export function createPodsEntrance(ports: MetaServerPorts, options: PodsEntranceOptions): PodsEntrance {
  let opened = Promise.withResolvers<Entrance>()
  ports.bus.serve(apiForPods, async (question) => (await opened.promise).placeFor(question))
  return {
    async start(scope) {
      const entrance = new Entrance(ports, options, scope)
      scope.defer(() => {
        opened = Promise.withResolvers()
      })
      await ensureDirectory(options.folder, 0o700)
      await entrance.reopen()
      opened.resolve(entrance)
    },
  }
}

class Entrance {
  readonly #ports: MetaServerPorts
  readonly #network: PodsNetwork
  readonly #certificate: PodsCertificate
  readonly #doors: Readonly<Record<'pod' | 'host', Door>>

  constructor(ports: MetaServerPorts, { network, folder, port, answer }: PodsEntranceOptions, scope: Scope) {
    const { bus, random, clock, log, nodeName, applications, metrics } = ports
    this.#ports = ports
    this.#network = network
    const shared = { folder, answer, clock, log, onRefused: countRefusals(metrics, 'metaserver-pods') }
    // The next one to that of the loopback, where another certificate is shown.
    const next = port === 0 || port === 65_535 ? 0 : port + 1
    this.#doors = {
      pod: new Door({ ...shared, host: network.address, port, name: 'pods' }, scope),
      host: new Door({ ...shared, host: LOOPBACK, port: next, name: 'host-pods' }, scope),
    }
    const addresses = [...new Set([LOOPBACK, network.address])]
    const names = { dnsNames: [nodeName], addresses, names: [nodeName, ...addresses] }
    const onRenewed = (identity: Identity) => {
      for (const door of Object.values(this.#doors)) void door.renew(identity)
    }
    this.#certificate = new PodsCertificate(
      { bus, random, clock, log, nodeName, applications, folder, ...names, onRenewed },
      scope,
    )
  }

  async reopen(): Promise<void> {
    const identity = await this.#certificate.open()
    if (!identity) return
    for (const network of ['pod', 'host'] as const) {
      if (!(await this.#doors[network].wasOpen())) continue
      const place = await this.#open(network, identity)
      if ('refusal' in place) this.#ports.log.warn('Pods do not find MetaServer', { reason: place.refusal })
    }
  }

  async placeFor({ network, namespace }: ApiForPodsQuestion): Promise<ApiForPods> {
    const authorities = await this.#authoritiesIn(namespace)
    const isKnown = (identity: Identity) => authorities === undefined || isIssuedBy(identity, authorities)
    const identity = await this.#certificate.get(isKnown)
    return 'refusal' in identity ? identity : await this.#open(network, identity)
  }

  async #open(network: 'pod' | 'host', identity: Identity): Promise<ApiForPods> {
    const { address: own, open } = this.#network
    try {
      const found = network === 'host' ? { address: LOOPBACK } : await open(own)
      if ('refusal' in found) return found
      return { host: found.address, port: await this.#doors[network].open(identity) }
    } catch (error) {
      return { refusal: `MetaServer cannot listen for pods: ${describeError(error)}` }
    }
  }

  /** By which pods of the namespace know the Kubernetes API; undefined where nobody can tell. */
  async #authoritiesIn(namespace: string): Promise<string | undefined> {
    const resource = `${namespace}/configmap/kube-root-ca.crt`
    try {
      const asked = { resource, freshness: 'stored-first' } as const
      const { object } = await this.#ports.bus.request(requestObject, asked, { deadline: MOMENT })
      const text = object ? textAt(objectAt(object, 'data'), 'ca.crt') : ''
      return text === '' ? undefined : text
    } catch (error) {
      this.#ports.log.debug('The authority of the cluster is not known', { resource, error: describeError(error) })
      return undefined
    }
  }
}
