import { RefusedError } from '../../../platform/lifecycle/index.ts'
import { systemClock as clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { edgedSocket } from '../reach/edged-socket.ts'
import { nodePod } from '../reach/node-pod.ts'
import type { Console } from '../terminal.ts'

export interface RestartOptions extends CommonOptions {
  readonly namespace?: string
}

/** `skerry restart POD`: its containers end within their grace and are started again, with or without the cloud. */
export async function restart(
  name: string,
  { namespace, ...options }: RestartOptions,
  terminal: Console,
): Promise<number> {
  const edged = await edgedSocket(options.data, clock)
  const pod = await withDeadline(clock, seconds(30), undefined, async (signal) => {
    const found = await nodePod(edged, { namespace, name }, signal)
    await edged.post(`/restart/${found.namespace}/${found.name}`, signal).catch((error: unknown) => {
      if (!(error instanceof RefusedError)) throw error
      throw new RefusedError(`pod ${name} is not restarted: ${error.message}`, { code: 'PROCESS_POD_REFUSED' })
    })
    return found
  })
  const said = { pod: pod.name, namespace: pod.namespace, restarting: true }
  terminal.print(options.output, said, `pod ${pod.name} is being restarted`)
  return EXIT.ok
}
