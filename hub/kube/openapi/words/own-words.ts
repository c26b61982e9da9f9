import { accessWords } from './access.ts'
import { clusterWords } from './cluster.ts'
import { containerWords } from './containers.ts'
import { customKindWords } from './custom-kinds.ts'
import { jsonSchemaWords } from './json-schema.ts'
import { networkWords } from './network.ts'
import { nodeWords } from './nodes.ts'
import { objectWords } from './objects.ts'
import { podWords } from './pods.ts'
import { volumeWords } from './volumes.ts'
import { webhookWords } from './webhooks.ts'
import type { Words } from './words.ts'
import { workloadWords } from './workloads.ts'

/**
 * What is said of fields by structure and field, where the models of the client package say nothing: above all of those that hold a
 * structure.
 */
export function ownWords(): Words {
  return {
    ...accessWords(),
    ...clusterWords(),
    ...containerWords(),
    ...customKindWords(),
    ...jsonSchemaWords(),
    ...networkWords(),
    ...nodeWords(),
    ...objectWords(),
    ...podWords(),
    ...volumeWords(),
    ...webhookWords(),
    ...workloadWords(),
  }
}
