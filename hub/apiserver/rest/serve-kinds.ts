import { methodNotAllowed, unknownPath } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import type { AskedResource } from '../../serving/requests/resource-request.ts'
import { METRICS_GROUP } from '../metrics/metrics-kinds.ts'
import type { ServeMetrics } from '../metrics/serve-metrics.ts'
import type { Connects } from '../streams/connects.ts'
import type { ApiContext } from './context.ts'
import { serveResource } from './resources.ts'

/** What is not answered from the store. */
export interface ServedElsewhere {
  readonly connects: Connects
  readonly metrics: ServeMetrics
}

/** Serves requests for the kinds of the registry. Throws a Status. */
export function serveKinds(
  api: ApiContext,
  { connects, metrics }: ServedElsewhere,
): (asked: AskedResource) => Promise<Reply> {
  return async (whole) => {
    const { verb, url, sent: _sent, ...asked } = whole
    const { group, version, plural, subresource, namespace } = asked.path
    const definition = api.registry.find(group, version, plural)
    if (!definition) throw unknownPath()
    if (group === METRICS_GROUP && definition.verbs) return await metrics(whole, definition)
    if (!verb) throw methodNotAllowed()
    const connect = definition.connects?.find((each) => each.subresource === subresource)
    if (connect) {
      if (!connect.verbs.includes(verb)) throw methodNotAllowed()
      if (definition.namespaced !== (namespace !== '')) throw unknownPath()
      return await connects(whole)
    }
    return await serveResource(api, { ...asked, verb, definition, query: url.searchParams })
  }
}
