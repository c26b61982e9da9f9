import type { Clock } from '../time/clock.ts'

/** One module as `skerry status` and /readyz print it. */
export interface ModuleState {
  readonly name: string
  readonly state: 'starting' | 'ready' | 'restarting' | 'stopping' | 'stopped' | 'failed'
  /** When this state began, Unix ms. */
  readonly sinceMs: number
  /** What it waits for just now. */
  readonly pending?: string
  /** Why it is in this state. */
  readonly detail?: string
}

/** The states of the modules of one run, in the order of their start. Exists before the run, so that a start can be watched. */
export interface ModuleBoard {
  states(): readonly ModuleState[]
  /** False while there are no modules. */
  ready(): boolean
  /** A module that turns ready keeps what it said it waits for; any other change forgets it. */
  set(name: string, state: ModuleState['state'], detail?: string): void
  pending(name: string, what: string | undefined): void
}

export function createModuleBoard(clock: Clock): ModuleBoard {
  const states = new Map<string, ModuleState>()
  return {
    states: () => [...states.values()],
    ready: () => states.size > 0 && [...states.values()].every(({ state }) => state === 'ready'),
    set(name, state, detail) {
      const pending = state === 'ready' ? states.get(name)?.pending : undefined
      states.set(name, {
        name,
        state,
        sinceMs: clock.now(),
        ...(pending === undefined ? {} : { pending }),
        ...(detail === undefined ? {} : { detail }),
      })
    },
    pending(name, what) {
      const found = states.get(name)
      if (!found) return
      const { pending: _, ...rest } = found
      states.set(name, what === undefined ? rest : { ...rest, pending: what })
    },
  }
}
