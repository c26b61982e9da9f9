import { parentPort } from 'node:worker_threads'
import { checkMapper } from '../check-mapper.ts'
import { lineSubject } from './line-subject.ts'

/** A thread: tries the mapper of each file whose URL it is sent, and answers with the first check that failed, or nothing. */
parentPort?.on('message', async (url: string) => {
  const { default: mapper } = await import(url)
  const report = await checkMapper(lineSubject(mapper, url), { patience: 2000, stopAtFirstFailure: true })
  parentPort?.postMessage(report.checks.find(({ result }) => result === 'failed'))
})
