import type { ServerResponse } from 'node:http'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { sendJson, sendText } from '../../../../platform/http/index.ts'
import { logSizes } from '../../housekeeping/pod-usage.ts'
import type { ServedPods } from '../served-pods.ts'
import { type PodUsage, podUsages } from './pod-usage.ts'
import { prometheusText } from './prometheus-text.ts'
import { cadvisorMetrics, resourceMetrics } from './resource-metrics.ts'
import { summaryOf } from './summary.ts'
import type { UsageMeter } from './usage.ts'

const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8'

/** What the node and its pods use, in the forms of a kubelet. */
export interface StatsServer {
  readonly meter: UsageMeter
  readonly nodeName: string
  readonly pods: ServedPods | undefined
}

/** `/stats/summary` */
export async function serveSummary({ meter, nodeName, pods }: StatsServer, response: ServerResponse): Promise<void> {
  const usage = await meter.usage()
  const used = pods ? podUsages(pods, usage) : []
  const sizes = new Map<PodUsage, ReadonlyMap<string, number>>()
  for (const each of used) {
    const { root, folder } = pods?.logsOf(each.pod) ?? { root: '', folder: '' }
    sizes.set(each, await logSizes(join(root, folder)))
  }
  sendJson(
    response,
    200,
    summaryOf(nodeName, usage, used, (pod, container) => sizes.get(pod)?.get(container) ?? 0),
  )
}

/** `/metrics/resource` */
export async function serveResourceMetrics({ meter, pods }: StatsServer, response: ServerResponse): Promise<void> {
  const usage = await meter.usage()
  sendText(response, 200, PROMETHEUS, prometheusText(resourceMetrics(usage, pods ? podUsages(pods, usage) : [])))
}

/** `/metrics/cadvisor` */
export async function serveCadvisorMetrics({ meter, pods }: StatsServer, response: ServerResponse): Promise<void> {
  const usage = await meter.usage()
  const used = pods ? podUsages(pods, usage) : []
  sendText(response, 200, PROMETHEUS, prometheusText(cadvisorMetrics(usage, used, availableParallelism())))
}
