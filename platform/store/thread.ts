import { Worker } from 'node:worker_threads'

/** A thread that runs a file of `worker/`, from the sources or from what is shipped. */
export function threadOf(entry: 'main' | 'backup-main', name: string, workerData: unknown): Worker {
  const suffix = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`./worker/${entry}.${suffix}`, import.meta.url), {
    workerData,
    name,
    // node:sqlite still announces itself as experimental; nobody who runs Skerry can do anything about it.
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
}
