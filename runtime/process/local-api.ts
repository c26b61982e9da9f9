import { join } from 'node:path'
import type { Bus } from '../../platform/bus/index.ts'
import { type Accounts, Doorkeeper } from '../../platform/bus/mqtt/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig, Endpoints } from '../../schemas/config/index.ts'
import { createLocalApiModule } from '../../twin/index.ts'
import type { PodsOfNode } from './event-bus.ts'
import type { Ground } from './host.ts'
import { openNodeAddress } from './pods/node-address.ts'
import { version } from './version.ts'

/** The local HTTP API as the configuration wants it: it knows users and pods as the broker does. */
export function composeLocalApi(
  { http, mqtt }: EdgeConfig,
  bus: Bus,
  { directory, log, metrics }: Omit<Ground, 'states'>,
  accounts: Accounts | undefined,
  podsOfNode?: Pick<PodsOfNode, 'address'>,
): { readonly modules: readonly Module[]; endpoints(): Endpoints } {
  if (!http.enabled) return { modules: [], endpoints: () => ({}) }
  const { anonymous, anonymousRemote, clients, passwordFile } = mqtt
  const access = new Doorkeeper({
    ...{ anonymous, anonymousRemote, clients, accounts, clock, log },
    passwordFile: { path: passwordFile ?? join(directory, 'mqtt', 'passwords'), isNamed: passwordFile !== undefined },
  })
  const network = podsOfNode && {
    address: podsOfNode.address,
    open: (address: string) => openNodeAddress(address),
    portFile: join(directory, 'http', 'pod-port'),
  }
  const module = createLocalApiModule({ ...http, network, access, bus, version, clock, random, log, metrics })
  return { modules: [module], endpoints: () => (module.url === undefined ? {} : { http: module.url }) }
}
