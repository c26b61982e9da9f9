/** What has to be ended whatever happens, the newest first; also where the benchmark is interrupted. */
const undos: (() => Promise<void>)[] = []

export function undoLater(undo: () => Promise<void>): void {
  undos.push(undo)
}

let undoing = Promise.resolve()

/** One call waits for what another has begun. */
export function undoAll(): Promise<void> {
  undoing = undoing.then(async () => {
    for (let undo = undos.pop(); undo; undo = undos.pop()) await undo()
  })
  return undoing
}

/** SIGINT and SIGTERM leave no process and no folder behind. */
export function undoAtSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void undoAll().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143))
    })
  }
}
