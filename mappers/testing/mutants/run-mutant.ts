import { parentPort } from 'node:worker_threads'
import { checkMapper } from '../check-mapper.ts'
import { lineSubject } from './line-subject.ts'

/** ms. Many mutants wait for what never comes. */
const PATIENCE = 1000
/** ms; longer than the grace for what is left open, or a timer that was forgotten ends in time. */
const TIMEOUT = 700

/** A thread: tries the mapper of each file whose URL it is sent, and answers with the first check that failed, or nothing. */
parentPort?.on('message', async (url: string) => {
  const { default: mapper } = await import(url)
  const report = await checkMapper(lineSubject(mapper, url, TIMEOUT), { patience: PATIENCE, stopAtFirstFailure: true })
  parentPort?.postMessage(report.checks.find(({ result }) => result === 'failed'))
})
