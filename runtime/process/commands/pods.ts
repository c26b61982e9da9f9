import { podCells } from '../../../hub/kube/table/index.ts'
import { systemClock as clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { edgedSocket } from '../reach/edged-socket.ts'
import { nodePods } from '../reach/node-pod.ts'
import type { Console } from '../terminal.ts'
import { textTable } from '../text-table.ts'

export interface PodsOptions extends CommonOptions {
  readonly namespace?: string
}

/** `skerry pods`: those of this node, with or without the cloud. */
export async function pods({ namespace, ...options }: PodsOptions, terminal: Console): Promise<number> {
  const edged = await edgedSocket(options.data, clock)
  const all = await withDeadline(clock, seconds(30), undefined, (signal) => nodePods(edged, signal))
  const shown = all.filter((pod) => namespace === undefined || pod.namespace === namespace)
  const [heads] = podCells({}, clock.now())
  const rows = shown.map((pod) => [pod.namespace, ...podCells(pod.source, clock.now())[1]])
  const text = rows.length === 0 ? 'No pods on this node.' : textTable(['NAMESPACE', ...heads], rows)
  const items = shown.map(({ source }) => source)
  terminal.print(options.output, { apiVersion: 'v1', kind: 'PodList', metadata: {}, items }, text)
  return EXIT.ok
}
