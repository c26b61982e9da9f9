import type { IncomingMessage } from 'node:http'
import { readBody } from '../../../../platform/http/index.ts'
import { type Clock, seconds, Watchdog } from '../../../../platform/time/index.ts'
import { CallRefusal } from '../router-error.ts'

/** The rest of a body has to go on coming. */
const BODY_PAUSE = seconds(15)

export async function wholeBody(
  request: IncomingMessage,
  most: number,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<Buffer> {
  const slow = new AbortController()
  const onAbort = () => slow.abort(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const late = new CallRefusal({ status: 408, code: 'HUB_BODY_SLOW', message: 'the body does not come' })
  using dog = new Watchdog(clock, BODY_PAUSE, () => slow.abort(late))
  try {
    return await readBody(request, most, slow.signal, () => dog.heard())
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
