import { namespaceServicesResource, objectChanges } from '../../../../schemas/index.ts'
import type { ResourceDefinition } from '../../../kube/resource.ts'
import { expired } from '../../../kube/status.ts'
import type { Stream } from '../../../serving/answers/answer.ts'
import { errorEvent } from '../../../serving/reading/watch.ts'
import type { NodeContext } from './node-request.ts'
import { knownOf } from './node-services.ts'

/**
 * A watch of services of a namespace of which all is here, as long as that is so. Then it ends with 410, before anything that leaves the
 * node could look as if it had been deleted: the client lists again, where it is known.
 */
export function whileWhole(
  context: NodeContext,
  definition: ResourceDefinition,
  namespace: string,
  stream: Stream,
): Stream {
  const isWhole = () => knownOf(context, definition, namespace) === 'whole'
  if (!isWhole()) return stream
  return {
    ...stream,
    async run(send, signal) {
      const over = new AbortController()
      const look = () => {
        if (!isWhole()) over.abort()
      }
      const marker = namespaceServicesResource(namespace)
      using _following = context.bus.subscribe(objectChanges, ({ resource }) => {
        if (resource === marker) look()
      })
      look()
      if (!over.signal.aborted) await stream.run(send, AbortSignal.any([signal, over.signal]))
      if (over.signal.aborted && !signal.aborted) {
        const { status } = expired(`this node has not all ${definition.plural} that are meant: list them again`)
        await send(errorEvent(status))
      }
    },
  }
}
