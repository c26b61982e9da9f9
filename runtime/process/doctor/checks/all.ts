import type { Check } from '../finding.ts'
import { broker } from './broker.ts'
import { certificates } from './certificates.ts'
import { cgroups } from './cgroups.ts'
import { containerRuntime } from './container-runtime.ts'
import { dataDirectoryCheck } from './data-directory.ts'
import { hub } from './hub.ts'
import { nodeJs } from './node-js.ts'
import { podAddress } from './pod-address.ts'
import { ports } from './ports.ts'
import { processCheck } from './process.ts'
import { sockets } from './sockets.ts'
import { tunnel } from './tunnel.ts'

/** In the order in which people should look. */
export function allChecks(now: () => number): readonly Check[] {
  return [
    nodeJs,
    processCheck,
    dataDirectoryCheck,
    sockets,
    ports,
    certificates(now),
    hub(now),
    tunnel,
    broker,
    containerRuntime,
    cgroups,
    podAddress,
  ]
}
