import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms, nextTurn, seconds, withDeadline } from '../../../platform/time/index.ts'
import { isJsonObject } from '../../kube/object/index.ts'
import { askNode } from '../../serving/streams/ask-node.ts'
import type { LocateNode } from '../../serving/streams/node-place.ts'
import { beginningOf } from '../../streaming/index.ts'
import { type NodeUse, readSummary } from './summary.ts'

/** Who asks more often gets the same again, as often as metrics-server looks by default. */
const FRESH_MS = 15_000
/** For one node. */
const ANSWER_WITHIN = seconds(5)
/** For all of them: what has not come by then is not there. */
const ALL_WITHIN = seconds(10)
const MOST_AT_ONCE = 16
/** 256 pods tell some hundred KiB. */
const LARGEST_SUMMARY = 4 * 1024 * 1024
/** A node that has not measured yet knows how fast something goes when it is asked again. */
const SECOND_LOOK = ms(2500)
const MOST_KEPT = 4096

export interface NodeUsesPorts {
  readonly locate: LocateNode
  readonly clock: Clock
  readonly log: Logger
}

/** What nodes use, asked when somebody wants to know. */
export class NodeUses {
  readonly #ports: NodeUsesPorts
  readonly #known = new Map<string, { readonly at: number; readonly use: Promise<NodeUse | undefined> }>()

  constructor(ports: NodeUsesPorts) {
    this.#ports = ports
  }

  /** Of those that answer in time. */
  async of(nodes: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, NodeUse>> {
    const found = new Map<string, NodeUse>()
    const left = [...nodes]
    const lane = async (within: AbortSignal) => {
      for (let node = left.shift(); node !== undefined && !within.aborted; node = left.shift()) {
        const use = await this.#now(node)
        if (use) found.set(node, use)
        await nextTurn()
      }
    }
    const lanes = async (within: AbortSignal) => {
      await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, nodes.length) }, () => lane(within)))
    }
    await withDeadline(this.#ports.clock, ALL_WITHIN, signal, lanes).catch(() => signal.throwIfAborted())
    return found
  }

  #now(node: string): Promise<NodeUse | undefined> {
    const at = this.#ports.clock.monotonic()
    const known = this.#known.get(node)
    if (known && at - known.at < FRESH_MS) return known.use
    const use = this.#look(node)
    this.#known.delete(node)
    this.#known.set(node, { at, use })
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_KEPT) break
      this.#known.delete(oldest)
    }
    void use.then((found) => {
      // Whoever could not be reached is asked again by the next one.
      if (!found && this.#known.get(node)?.use === use) this.#known.delete(node)
    })
    return use
  }

  async #look(node: string): Promise<NodeUse | undefined> {
    try {
      const first = await this.#ask(node)
      if (isMeasured(first)) return first
      await this.#ports.clock.sleep(SECOND_LOOK)
      return await this.#ask(node)
    } catch (error) {
      this.#ports.log.debug('A node does not tell what it uses', { node, error })
      return undefined
    }
  }

  async #ask(node: string): Promise<NodeUse> {
    const { locate, clock } = this.#ports
    const { connect } = locate(node)
    return await withDeadline(clock, ANSWER_WITHIN, undefined, async (signal) => {
      const answer = await askNode({ connect, method: 'GET', path: '/stats/summary', clock }, signal)
      signal.addEventListener('abort', () => answer.close())
      try {
        const text = await beginningOf(answer.response, LARGEST_SUMMARY)
        if (answer.response.statusCode !== 200) throw new Error(`it answers ${answer.response.statusCode}`)
        const summary: unknown = JSON.parse(text)
        return readSummary(isJsonObject(summary) ? summary : {})
      } finally {
        answer.close()
      }
    })
  }
}

function isMeasured({ node, pods }: NodeUse): boolean {
  const all = [...(node ? [node] : []), ...[...pods.values()].flatMap((each) => [...each.values()])]
  return all.every(({ nanoCores }) => nanoCores !== undefined)
}
