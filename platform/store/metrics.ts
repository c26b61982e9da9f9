import type { Counter, Metrics } from '../health/metrics.ts'

export interface StoreMetrics {
  /** One transaction of so many writes became durable in so many ms. */
  committed(writes: number, milliseconds: number): void
  /** From call to answer of one write. */
  answered(milliseconds: number): void
  failed(code: string): void
  /** The file was damaged at the start. */
  recovered(from: 'backup' | 'empty'): void
  /** So many calls found the worker's port full and wait in this thread. */
  delayed(calls: number): void
  /** Asked at each scrape. */
  followWaiting(read: () => number): Disposable
  /** Of the file with its log, asked at each scrape. */
  followSize(read: () => number): Disposable
}

const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
const SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5]

export function storeMetrics(metrics: Metrics, store: string): StoreMetrics {
  const own = { store }
  const labels = ['store']
  const counter = (name: string, help: string): Counter => metrics.counter({ name, help, labels })
  const writes = counter('skerry_store_writes_total', 'Writes that a transaction took.')
  const commits = counter('skerry_store_commits_total', 'Transactions of grouped writes.')
  const delayed = counter('skerry_store_delayed_total', 'Calls that waited because the worker had enough to do.')
  const errors = metrics.counter({
    name: 'skerry_store_errors_total',
    help: 'Calls that failed, by error code.',
    labels: ['store', 'code'],
  })
  const recoveries = metrics.counter({
    name: 'skerry_store_recoveries_total',
    help: 'Starts that found the file damaged, by what took its place.',
    labels: ['store', 'from'],
  })
  const sizes = metrics.histogram({
    name: 'skerry_store_group_size',
    help: 'Writes in one transaction.',
    labels,
    buckets: SIZES,
  })
  const commitTime = metrics.histogram({
    name: 'skerry_store_commit_seconds',
    help: 'Time of one transaction with its fsync.',
    labels,
    buckets: SECONDS,
  })
  const writeTime = metrics.histogram({
    name: 'skerry_store_write_seconds',
    help: 'Time from the call of a write to its answer.',
    labels,
    buckets: SECONDS,
  })
  const waiting = metrics.gauge({ name: 'skerry_store_waiting', help: 'Calls that are not answered yet.', labels })
  const size = metrics.gauge({ name: 'skerry_store_bytes', help: 'Size of the database with its log.', labels })
  return {
    committed(count, milliseconds) {
      commits.add(1, own)
      writes.add(count, own)
      sizes.observe(count, own)
      commitTime.observe(milliseconds / 1000, own)
    },
    answered: (milliseconds) => writeTime.observe(milliseconds / 1000, own),
    recovered: (from) => recoveries.add(1, { store, from }),
    failed: (code) => errors.add(1, { store, code }),
    delayed: (calls) => delayed.add(calls, own),
    followWaiting: (read) => waiting.follow(read, own),
    followSize: (read) => size.follow(read, own),
  }
}
