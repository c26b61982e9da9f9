/** A part of the process. `start` settles when the part is ready to serve, not when it is merely built. */
export interface Module {
  readonly name: string
  start(scope: Scope): Promise<void>
}

/** What a module may hold. Closing: abort `signal`, wait for `run` work, then release in reverse order, within a deadline. */
export interface Scope extends AsyncDisposable {
  readonly signal: AbortSignal
  use<T extends AsyncDisposable | Disposable>(resource: T): T
  defer(release: () => PromiseLike<void> | void): void
  /** Background work. A rejection before the signal aborts is a crash of the module, never an unhandled rejection. */
  run(work: (signal: AbortSignal) => Promise<void>): void
  /** Says what this module waits for just now, for `skerry status`; undefined when it waits for nothing. */
  pending(what: string | undefined): void
}
