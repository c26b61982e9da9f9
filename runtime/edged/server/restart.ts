import type { ServerResponse } from 'node:http'
import type { Bus } from '../../../platform/bus/index.ts'
import { sendText } from '../../../platform/http/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { restartPods } from '../../../schemas/index.ts'
import { isPlainName } from '../pod/plain-name.ts'
import { KubeletRefusal } from './answers.ts'

const ANSWER = seconds(10)

/** A pod that `POST /restart/NAMESPACE/POD` names, which no kubelet knows; undefined for another path. */
export function restartPath(path: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^\/restart\/([^/]+)\/([^/]+)$/.exec(path) ?? []
  if (namespace === undefined || name === undefined || !isPlainName(namespace) || !isPlainName(name)) return undefined
  return { namespace, name }
}

/** Has a pod restarted, and answers once that begins. Throws a KubeletRefusal. */
export async function serveRestart(
  bus: Bus,
  { namespace, name }: NonNullable<ReturnType<typeof restartPath>>,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const asking = bus.request(restartPods, { namespace, names: [name] }, { deadline: ANSWER, signal })
  const [answer] = await asking.catch((error: unknown) => {
    if (error instanceof UnavailableError) throw new KubeletRefusal(503, 'this node runs no pods now')
    throw error
  })
  if (answer?.outcome === 'restarting') sendText(response, 200, 'text/plain; charset=utf-8', 'restarting\n')
  else throw new KubeletRefusal(answer?.outcome === 'unknown' ? 404 : 409, answer?.reason ?? 'it is not restarted')
}
