import { type KubectlOptions, kubectl, type Run } from '../kubectl.ts'
import type { Stage } from './stage.ts'

/** A command that runs while others do. */
export interface Beside {
  /** What it printed up to now, and its exit code if it has ended by itself. */
  now(): Run & { readonly hasEnded: boolean }
  end(): Promise<void>
}

/** Longest time that the following commands wait for its first words: some have none. */
const FIRST_WORDS_MS = 1_000

/** Starts a command; settles once it has printed something. */
export async function runBeside(stage: Stage, words: readonly string[], options: KubectlOptions): Promise<Beside> {
  let printed = ''
  let run: Run | undefined
  const ending = new AbortController()
  let said = () => {}
  const saidWords = new Promise<void>((resolve) => {
    said = resolve
  })
  const running = kubectl(stage, words, {
    ...options,
    signal: options.signal ? AbortSignal.any([options.signal, ending.signal]) : ending.signal,
    onOut: (out) => {
      printed = out
      said()
    },
  }).then((ended) => {
    run = ended
    said()
  })
  const timer = setTimeout(said, FIRST_WORDS_MS)
  await saidWords
  clearTimeout(timer)
  return {
    now: () => (run ? { ...run, hasEnded: true } : { code: 0, out: printed, err: '', hasEnded: false }),
    async end() {
      ending.abort()
      await running
    },
  }
}
