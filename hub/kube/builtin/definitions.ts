import type { ResourceDefinition } from '../resource.ts'
import { ACCESS_KINDS } from './kinds/access.ts'
import { CORE_KINDS } from './kinds/core.ts'
import { EXTENSION_KINDS } from './kinds/extension.ts'
import { NETWORK_KINDS } from './kinds/network.ts'
import { WORKLOAD_KINDS } from './kinds/workloads.ts'

/** Kinds of Kubernetes itself that are served here. */
export const BUILTIN_DEFINITIONS: readonly ResourceDefinition[] = [
  ...CORE_KINDS,
  ...NETWORK_KINDS,
  ...WORKLOAD_KINDS,
  ...ACCESS_KINDS,
  ...EXTENSION_KINDS,
]
