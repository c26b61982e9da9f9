import { ms, seconds, systemClock } from '../../platform/time/index.ts'

const PATIENCE = seconds(60)
const PAUSE = ms(20)

/** What `read` finds, asked again and again until it finds something: for what happens in programs that tell nobody. */
export async function eventually<T>(read: () => Promise<T | undefined>, what: string): Promise<T> {
  const end = systemClock.monotonic() + PATIENCE.milliseconds
  for (;;) {
    const found = await read()
    if (found !== undefined) return found
    if (systemClock.monotonic() > end) throw new Error(`within a minute it did not happen that ${what}`)
    await systemClock.sleep(PAUSE)
  }
}
