import type { ContainerView } from '../state/pod-view.ts'

/** Those of a kubelet. */
const FIRST_MS = 10_000
const MOST_MS = 300_000
/** Who ran so long has recovered. */
const RECOVERED_MS = 600_000
/** Who ended so far ahead did so before the clock was set back: by its time it would wait for as long as that was. */
const CLOCK_JUMP_MS = 60_000

interface Crashes {
  readonly count: number
  /** The exited container that was counted last. */
  readonly id: string
}

/** How long the containers of one pod wait before they are started again: at once, then 10 s, doubling to 5 min. */
export class CrashBackoff {
  readonly #crashes = new Map<string, Crashes>()

  /** From when on a container that has exited may be started again, Unix ms. */
  dueAt(exited: ContainerView, now: number): number {
    const waits = this.#crashes.get(exited.metadata.name)?.count ?? 0
    const ran = exited.startedAt > 0 ? exited.finishedAt - exited.startedAt : 0
    if (waits === 0 || ran >= RECOVERED_MS || exited.finishedAt > now + CLOCK_JUMP_MS) return 0
    return exited.finishedAt + waitMs(waits)
  }

  /** It is being started again. */
  restarted(exited: ContainerView): void {
    const { name } = exited.metadata
    const known = this.#crashes.get(name)
    if (known?.id === exited.id) return
    const ran = exited.startedAt > 0 ? exited.finishedAt - exited.startedAt : 0
    this.#crashes.set(name, { id: exited.id, count: ran >= RECOVERED_MS ? 1 : (known?.count ?? 0) + 1 })
  }

  /** In the words of a kubelet, whole. */
  static text(pod: string, exited: ContainerView, dueAt: number): string {
    const wait = Math.round((dueAt - exited.finishedAt) / 1000)
    return `back-off ${span(wait)} restarting failed container=${exited.metadata.name} pod=${pod}`
  }
}

function waitMs(crashes: number): number {
  return Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(crashes - 1, 30))
}

/** As Go writes a duration: `10s`, `1m20s`, `5m0s`. */
function span(seconds: number): string {
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}
