import { type Clock, minutes } from '../time/index.ts'

/** As long as a good token is remembered. */
const LOOK_EVERY = minutes(1)

/** Aborts when nobody knows any more who a caller is; disposed, it looks no further. */
export interface KnownCaller extends Disposable {
  readonly signal: AbortSignal
}

/**
 * For answers that last. Kubernetes lets a stream go on for as long as it likes; here it ends soon after its caller’s credentials
 * have: each minute `isKnown` is asked again. Where that rejects nobody can tell, and the stream goes on.
 */
export function whileKnown(clock: Clock, isKnown: (signal: AbortSignal) => Promise<boolean>): KnownCaller {
  const gone = new AbortController()
  const over = new AbortController()
  const look = async () => {
    const known = await isKnown(over.signal).catch(() => true)
    if (over.signal.aborted) return
    if (known) timer = clock.after(LOOK_EVERY, () => void look())
    else gone.abort(new Error('nobody knows the credentials of the caller any more'))
  }
  let timer = clock.after(LOOK_EVERY, () => void look())
  return {
    signal: gone.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]()
      over.abort(new Error('the answer is over'))
    },
  }
}
