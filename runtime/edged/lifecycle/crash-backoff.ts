import type { ContainerView } from '../state/pod-view.ts'

/** Those of a kubelet. */
const FIRST_MS = 10_000
const MOST_MS = 300_000
/** Who ran so long has recovered. */
const RECOVERED_MS = 600_000

interface Crashes {
  readonly count: number
  /** The exited container that was counted last. */
  readonly id: string
}

/** How long the containers of one pod wait before they are started again: at once, then 10 s, doubling to 5 min. */
export class CrashBackoff {
  readonly #crashes = new Map<string, Crashes>()
  /** By name: since when the exited container waits, Unix ms. */
  readonly #since = new Map<string, { readonly id: string; readonly at: number }>()

  /** From when on a container that has exited may be started again, Unix ms. */
  dueAt(exited: ContainerView, now: number): number {
    const wait = this.#waitOf(exited)
    return wait === 0 ? 0 : this.#sinceOf(exited, now) + wait
  }

  /** It is being started again. */
  restarted(exited: ContainerView): void {
    const { name } = exited.metadata
    const known = this.#crashes.get(name)
    if (known?.id === exited.id) return
    this.#crashes.set(name, { id: exited.id, count: hasRecovered(exited) ? 1 : (known?.count ?? 0) + 1 })
  }

  /** It begins anew, as if it had never crashed. */
  forget(name: string): void {
    this.#crashes.delete(name)
  }

  /** In the words of a kubelet, whole. */
  text(pod: string, exited: ContainerView): string {
    const wait = Math.round(this.#waitOf(exited) / 1000)
    return `back-off ${span(wait)} restarting failed container=${exited.metadata.name} pod=${pod}`
  }

  #waitOf(exited: ContainerView): number {
    const crashes = this.#crashes.get(exited.metadata.name)?.count ?? 0
    return crashes === 0 || hasRecovered(exited) ? 0 : waitMs(crashes)
  }

  /** A runtime may not say when it ended, and a clock that was set back leaves ends in the future: then from when it was seen on. */
  #sinceOf({ metadata: { name }, id, finishedAt }: ContainerView, now: number): number {
    const known = this.#since.get(name)
    if (known?.id === id && known.at <= now) return known.at
    const at = finishedAt > 0 && finishedAt <= now ? finishedAt : now
    this.#since.set(name, { id, at })
    return at
  }
}

function hasRecovered({ startedAt, finishedAt }: ContainerView): boolean {
  return startedAt > 0 && finishedAt - startedAt >= RECOVERED_MS
}

function waitMs(crashes: number): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(crashes - 1, 30))
}

/** As Go writes a duration: `10s`, `1m20s`, `5m0s`. */
function span(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
