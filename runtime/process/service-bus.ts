import { join } from 'node:path'
import { ServiceBus, type ServiceBusPorts } from '../../hub/edge/index.ts'
import { type Accounts, Doorkeeper } from '../../platform/bus/mqtt/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import type { Ground } from './host.ts'

type Given = Pick<ServiceBusPorts, 'store' | 'bus' | 'frames' | 'tunnel'> & { readonly accounts: Accounts | undefined }

/** ServiceBus as the configuration wants it: it knows users and pods as the broker does. */
export function composeServiceBus(
  { serviceBus, mqtt, node }: EdgeConfig,
  { accounts, ...ports }: Given,
  { directory, log, metrics }: Omit<Ground, 'states'>,
): ServiceBus {
  const { listener, ...limits } = serviceBus
  const { anonymous, anonymousRemote, clients, passwordFile } = mqtt
  const access = new Doorkeeper({
    ...{ anonymous, anonymousRemote, clients, accounts, clock, log },
    passwordFile: { path: passwordFile ?? join(directory, 'mqtt', 'passwords'), isNamed: passwordFile !== undefined },
  })
  return new ServiceBus({
    ...ports,
    ...{ limits, nodeName: node.name, clock, random, log, metrics },
    listener: listener.enabled ? { ...listener, access } : undefined,
  })
}
