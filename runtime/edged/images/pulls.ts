import { createHash } from 'node:crypto'
import { type Counter, type Histogram, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, type Random, unlessAborted, withDeadline } from '../../../platform/time/index.ts'
import type { ContainerRuntime, Image, ImageAuth } from '../cri/runtime.ts'
import type { ImageName } from '../pod/image-name.ts'
import { pullFailure } from './pull-failure.ts'
import { RegistriesAway } from './registries-away.ts'

export interface PullPorts {
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly random: Random
  readonly metrics?: Metrics
}

export interface PullOptions {
  /** Most pulls at a time: they share one line and one disk. */
  readonly maxParallelPulls: number
  /** For one pull, with all its logins. */
  readonly pullDeadline: Duration
}

export interface Pulled {
  readonly image: Image
  /** Of the pull itself, without the wait for its turn. */
  readonly tookMs: number
}

interface Shared {
  readonly pulled: Promise<Pulled>
  readonly controller: AbortController
  waiters: number
}

/** The pulls of this node: a bounded number at a time, in the order in which they were asked for, each once. */
export class Pulls implements Disposable {
  readonly #ports: PullPorts
  readonly #options: PullOptions
  readonly #away: RegistriesAway
  /** Under way or waiting, by image and logins: with other logins the registry may say something else. */
  readonly #shared = new Map<string, Shared>()
  readonly #queue: (() => void)[] = []
  readonly #counters: { readonly pulls: Counter; readonly seconds: Histogram; readonly waiting: Disposable }
  #running = 0

  constructor(ports: PullPorts, options: PullOptions) {
    this.#ports = ports
    this.#options = options
    this.#away = new RegistriesAway(ports.clock, ports.random)
    this.#counters = countersOf(ports.metrics ?? silentMetrics, () => this.#queue.length)
  }

  /**
   * Pulls with each login in turn until one will do. An image that is present is not pulled while its registry is away: the
   * error of the last try comes back. Who leaves by the signal lets go; a pull that nobody waits for ends.
   */
  async pull(name: ImageName, logins: readonly ImageAuth[], signal: AbortSignal): Promise<Pulled> {
    signal.throwIfAborted()
    const key = `${name.reference} ${createHash('sha256').update(JSON.stringify(logins)).digest('base64')}`
    let shared = this.#shared.get(key)
    if (!shared) {
      const controller = new AbortController()
      const pulled = this.#take(name, logins, controller.signal).finally(() => {
        if (this.#shared.get(key) === shared) this.#shared.delete(key)
      })
      shared = { pulled, controller, waiters: 0 }
      this.#shared.set(key, shared)
    }
    shared.waiters++
    try {
      return await unlessAborted(shared.pulled, signal)
    } finally {
      shared.waiters--
      if (shared.waiters === 0) {
        if (this.#shared.get(key) === shared) this.#shared.delete(key)
        shared.controller.abort(new UnavailableError('Nobody waits for the image', { code: 'EDGED_PULL_LEFT' }))
      }
    }
  }

  /** Counts no more. Who waits has to leave by the signal. */
  [Symbol.dispose](): void {
    this.#counters.waiting[Symbol.dispose]()
  }

  async #take(name: ImageName, logins: readonly ImageAuth[], signal: AbortSignal): Promise<Pulled> {
    await this.#refuseWhileAway(name, signal)
    await this.#turn(signal)
    try {
      await this.#refuseWhileAway(name, signal)
      return await this.#counted(name, logins, signal)
    } finally {
      this.#release()
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    if (this.#running < this.#options.maxParallelPulls) {
      this.#running++
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const next = () => {
      this.#running++
      resolve()
    }
    this.#queue.push(next)
    try {
      await unlessAborted(promise, signal)
    } catch (error) {
      const at = this.#queue.indexOf(next)
      if (at >= 0) this.#queue.splice(at, 1)
      else this.#release()
      throw error
    }
  }

  #release(): void {
    this.#running--
    this.#queue.shift()?.()
  }

  async #counted(name: ImageName, logins: readonly ImageAuth[], signal: AbortSignal): Promise<Pulled> {
    try {
      const pulled = await this.#timed(name, logins, signal)
      this.#counters.pulls.add(1, { outcome: 'pulled' })
      this.#counters.seconds.observe(pulled.tookMs / 1000)
      this.#away.answered(name.registry)
      return pulled
    } catch (error) {
      if (!signal.aborted) this.#failed(name, error)
      throw error
    }
  }

  #failed(name: ImageName, error: unknown): void {
    const { isUnreachable } = pullFailure(error)
    this.#counters.pulls.add(1, { outcome: isUnreachable ? 'unreachable' : 'failed' })
    if (!isUnreachable) this.#away.answered(name.registry)
    else if (this.#away.errorOf(name.registry) === undefined) this.#away.failed(name.registry, error)
  }

  async #refuseWhileAway(name: ImageName, signal: AbortSignal): Promise<void> {
    const error = this.#away.errorOf(name.registry)
    if (error !== undefined && (await this.#ports.runtime.imageStatus(name.reference, signal))) throw error
  }

  async #timed(name: ImageName, logins: readonly ImageAuth[], signal: AbortSignal): Promise<Pulled> {
    const { clock, runtime } = this.#ports
    const begun = clock.monotonic()
    await withDeadline(clock, this.#options.pullDeadline, signal, (limited) => this.#try(name, logins, limited))
    const image = await runtime.imageStatus(name.reference, signal)
    if (image) return { image, tookMs: clock.monotonic() - begun }
    throw new UnavailableError('The container runtime has pulled an image that it does not have', {
      code: 'EDGED_IMAGE_VANISHED',
      fields: { image: name.reference },
    })
  }

  async #try(name: ImageName, logins: readonly ImageAuth[], signal: AbortSignal): Promise<void> {
    const { runtime } = this.#ports
    let failure: unknown
    for (const login of logins.length > 0 ? logins : [undefined]) {
      try {
        await runtime.pullImage(name.reference, login, signal)
        return
      } catch (error) {
        failure = error
        // Another login changes nothing where nobody answers.
        if (signal.aborted || error instanceof UnavailableError || pullFailure(error).isUnreachable) throw error
      }
    }
    throw failure
  }
}

function countersOf(metrics: Metrics, waiting: () => number) {
  const gauge = metrics.gauge({
    name: 'skerry_edged_image_pulls_waiting',
    help: 'Pulls of images that wait for their turn.',
  })
  return {
    waiting: gauge.follow(waiting),
    pulls: metrics.counter({
      name: 'skerry_edged_image_pulls_total',
      help: 'Pulls of images, by outcome; unreachable: nobody heard from the registry.',
      labels: ['outcome'],
    }),
    seconds: metrics.histogram({
      name: 'skerry_edged_image_pull_seconds',
      help: 'How long pulls of images took, without their wait for a turn.',
      buckets: [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600],
    }),
  }
}
