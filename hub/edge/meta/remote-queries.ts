import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, RefusedError, SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Frame, GROUPS, type Json, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import type { CloudRequests } from '../session/cloud-requests.ts'
import type { MetaManager } from './meta-manager.ts'

export interface RemoteQueryPorts {
  readonly cloud: CloudRequests
  readonly meta: MetaManager
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Under way at a time; less than a cloud takes of one node, which its Node, Lease and pods need as well. */
const AT_ONCE = 16
const MOST_WAITING = 256

interface Query {
  readonly key: string
  readonly answer: PromiseWithResolvers<Json>
  isSent: boolean
}

/**
 * Objects of the cloud by their resource: sent in the order in which they were asked for, each once however many ask meanwhile,
 * kept on disk. A failure of the cloud is thrown and never kept as if it were the object.
 */
export class RemoteQueries {
  readonly #ports: RemoteQueryPorts
  /** The latest query of each object. */
  readonly #latest = new Map<string, Query>()
  readonly #waiting: Query[] = []
  #underWay = 0

  constructor(ports: RemoteQueryPorts) {
    this.#ports = ports
    const gauge = (ports.metrics ?? silentMetrics).gauge({
      name: 'skerry_metamanager_queries',
      help: 'Objects that are asked of the cloud, waiting or under way.',
    })
    gauge.follow(() => this.#waiting.length + this.#underWay)
  }

  /** With `isNow` the answer is younger than the call: a query that is under way already does not do. */
  query(key: string, isNow = false): Promise<Json> {
    const latest = this.#latest.get(key)
    if (latest && !(isNow && latest.isSent)) return latest.answer.promise
    if (!this.#ports.cloud.isConnected) return Promise.reject(offline())
    if (this.#waiting.length >= MOST_WAITING) {
      return Promise.reject(
        new UnavailableError('Too many objects are asked of the cloud', { code: 'HUB_QUERIES_FULL' }),
      )
    }
    const query: Query = { key, answer: Promise.withResolvers(), isSent: false }
    query.answer.promise.catch(() => undefined)
    this.#latest.set(key, query)
    this.#waiting.push(query)
    this.#pump()
    return query.answer.promise
  }

  #pump(): void {
    while (this.#underWay < AT_ONCE) {
      const query = this.#waiting.shift()
      if (!query) return
      this.#underWay++
      query.isSent = true
      void this.#ask(query.key)
        .then(query.answer.resolve, query.answer.reject)
        .finally(() => {
          this.#underWay--
          if (this.#latest.get(query.key) === query) this.#latest.delete(query.key)
          this.#pump()
        })
    }
  }

  async #ask(key: string): Promise<Json> {
    const { cloud, meta, log } = this.#ports
    const expected = meta.expect(key)
    try {
      const route = { source: MODULES.metaManager, group: GROUPS.meta, operation: OPERATIONS.query, resource: key }
      const answer = await cloud.ask(route, null)
      const failure = failureOf(answer.content)
      if (failure === undefined) await this.#remember(expected, answer)
      else await this.#acknowledge(answer)
      if (failure === undefined) return answer.content
      throw queryFailed(key, failure, statusIn(answer.content))
    } catch (error) {
      // Why the cloud answered with `error` is what the caller has to know.
      if (error instanceof SkerryError && error.code === 'HUB_REQUEST_FAILED') {
        throw queryFailed(key, error.message, isNotFound(key, error.message) ? 404 : undefined)
      }
      throw error
    } finally {
      meta.forgo(expected)
      log.debug('An object was asked of the cloud', { resource: key })
    }
  }

  /** What the disk does not take is good for whoever asked, all the same. */
  async #remember(expected: ReturnType<MetaManager['expect']>, answer: Frame): Promise<void> {
    try {
      await this.#ports.meta.remember(expected, answer)
    } catch (error) {
      const { log } = this.#ports
      log.warn('An object from the cloud could not be kept', { resource: expected.key, error: describeError(error) })
      return
    }
    await this.#acknowledge(answer)
  }

  /** Without this receipt an original cloud sends its answer again. It does no harm when it does. */
  async #acknowledge(answer: Frame): Promise<void> {
    const { cloud, log } = this.#ports
    await cloud.acknowledge(answer).catch((error: unknown) => log.debug('A receipt was not sent', { error }))
  }
}

export function offline(): UnavailableError {
  return new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
}

function queryFailed(resource: string, reason: string, status?: number): RefusedError {
  return new RefusedError('The cloud could not answer the query', {
    code: 'HUB_QUERY_FAILED',
    fields: { resource, reason, ...(status === undefined ? {} : { status }) },
  })
}

/** Such an answer is a text alone; that of Kubernetes for an object that is not there ends like this. */
function isNotFound(key: string, message: string): boolean {
  return message.endsWith(` "${key.slice(key.lastIndexOf('/') + 1)}" not found`)
}

/** The HTTP status that the API had for it: 404 where there is no such object. */
function statusIn(content: Json): number | undefined {
  const failed: unknown = Reflect.get(Object(content), 'ErrStatus')
  const code: unknown = Reflect.get(Object(failed), 'code')
  return typeof code === 'number' ? code : undefined
}

/** KubeEdge answers a failed query with a response whose content is the error, or with an object that is none. */
function failureOf(content: Json): string | undefined {
  if (typeof content === 'string') return undefined
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return 'the answer is no object'
  if ('ErrStatus' in content) return JSON.stringify(content['ErrStatus']).slice(0, 500)
  if ('Err' in content && content['Err'] !== null) return JSON.stringify(content['Err']).slice(0, 500)
  return undefined
}
