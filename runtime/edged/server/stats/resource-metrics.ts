import type { PodUsage } from './pod-usage.ts'
import type { Metric, Sample } from './prometheus-text.ts'
import type { Usage } from './usage.ts'

const SECOND = 1_000_000_000

/** `/metrics/resource` of a kubelet, which metrics-server reads. */
export function resourceMetrics(usage: Usage, pods: readonly PodUsage[]): readonly Metric[] {
  const { machine, at, problem } = usage
  const each = (of: (usage: PodUsage['containers'][number]) => Omit<Sample, 'labels'>) =>
    pods.flatMap(({ pod, containers }) =>
      containers.map((container) => ({
        labels: { container: container.name, namespace: pod.namespace, pod: pod.name },
        ...of(container),
      })),
    )
  const whole = (of: (usage: PodUsage) => Omit<Sample, 'labels'>) =>
    pods.map((each) => ({ labels: { namespace: each.pod.namespace, pod: each.pod.name }, ...of(each) }))
  const oldest = ({ containers }: PodUsage) => Math.min(...containers.map(({ stats }) => stats.cpuAt))
  const sum = ({ containers }: PodUsage, of: (stats: PodUsage['containers'][number]['stats']) => number) =>
    containers.reduce((total, { stats }) => total + of(stats), 0)
  const failed = problem === undefined ? 0 : 1
  return [
    counter('node_cpu_usage_seconds_total', '[STABLE] Cumulative cpu time consumed by the node in core-seconds', [
      { value: machine.cpuNanoseconds / SECOND, at: machine.cpuAt },
    ]),
    gauge('node_memory_working_set_bytes', '[STABLE] Current working set of the node in bytes', [
      { value: machine.memory.workingSetBytes, at },
    ]),
    gauge(
      'container_start_time_seconds',
      '[STABLE] Start time of the container since unix epoch in seconds',
      each(({ startedAt }) => ({ value: startedAt / 1000 })),
    ),
    counter(
      'container_cpu_usage_seconds_total',
      '[STABLE] Cumulative cpu time consumed by the container in core-seconds',
      each(({ stats }) => ({ value: stats.cpuNanoseconds / SECOND, at: stats.cpuAt })),
    ),
    gauge(
      'container_memory_working_set_bytes',
      '[STABLE] Current working set of the container in bytes',
      each(({ stats }) => ({ value: stats.memoryBytes, at: stats.cpuAt })),
    ),
    counter(
      'pod_cpu_usage_seconds_total',
      '[STABLE] Cumulative cpu time consumed by the pod in core-seconds',
      whole((pod) => ({ value: sum(pod, ({ cpuNanoseconds }) => cpuNanoseconds) / SECOND, at: oldest(pod) })),
    ),
    gauge(
      'pod_memory_working_set_bytes',
      '[STABLE] Current working set of the pod in bytes',
      whole((pod) => ({ value: sum(pod, ({ memoryBytes }) => memoryBytes), at: oldest(pod) })),
    ),
    gauge('scrape_error', '[ALPHA] 1 if there was an error while getting container metrics, 0 otherwise', [
      { value: failed },
    ]),
    gauge('resource_scrape_error', '[STABLE] 1 if there was an error while getting container metrics, 0 otherwise', [
      { value: failed },
    ]),
  ]
}

/** A subset of `/metrics/cadvisor`: what the runtime tells of, under the names that dashboards know. */
export function cadvisorMetrics(usage: Usage, pods: readonly PodUsage[], processors: number): readonly Metric[] {
  const { machine } = usage
  const each = (of: (usage: PodUsage['containers'][number]) => number | undefined) =>
    pods.flatMap(({ pod, containers }) =>
      containers.flatMap((container) => {
        const value = of(container)
        if (value === undefined) return []
        const { name, image, stats } = container
        const labels = { container: name, id: stats.id, image, name: stats.id, namespace: pod.namespace, pod: pod.name }
        return [{ labels, value, at: stats.cpuAt }]
      }),
    )
  return [
    counter(
      'container_cpu_usage_seconds_total',
      'Cumulative cpu time consumed in seconds.',
      each(({ stats }) => stats.cpuNanoseconds / SECOND),
    ),
    gauge(
      'container_memory_working_set_bytes',
      'Current working set in bytes.',
      each(({ stats }) => stats.memoryBytes),
    ),
    gauge(
      'container_memory_usage_bytes',
      'Current memory usage in bytes, including all memory regardless of when it was accessed.',
      each(({ stats }) => stats.usedBytes),
    ),
    gauge(
      'container_memory_rss',
      'Size of RSS in bytes.',
      each(({ stats }) => stats.rssBytes),
    ),
    gauge(
      'container_fs_usage_bytes',
      'Number of bytes that are consumed by the container on this filesystem.',
      each(({ stats }) => stats.diskBytes),
    ),
    gauge(
      'container_start_time_seconds',
      'Start time of the container since unix epoch in seconds.',
      each(({ startedAt }) => startedAt / 1000),
    ),
    gauge('machine_cpu_cores', 'Number of logical CPU cores.', [{ value: processors }]),
    gauge('machine_memory_bytes', 'Amount of memory installed on the machine.', [{ value: machine.memory.totalBytes }]),
  ]
}

function counter(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'counter', help, samples }
}

function gauge(name: string, help: string, samples: readonly Sample[]): Metric {
  return { name, type: 'gauge', help, samples }
}
