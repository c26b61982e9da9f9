import type { CustomResourceDefinition } from './definition.ts'
import { deviceCrd, deviceModelCrd, deviceStatusCrd } from './devices.ts'
import { clusterObjectSyncCrd, objectSyncCrd } from './reliable-syncs.ts'
import { ruleCrd, ruleEndpointCrd } from './rules.ts'

/** Everything that Skerry installs into an API server, in the order of installation. */
export const crds: readonly CustomResourceDefinition[] = [
  deviceModelCrd,
  deviceCrd,
  deviceStatusCrd,
  objectSyncCrd,
  clusterObjectSyncCrd,
  ruleCrd,
  ruleEndpointCrd,
]
