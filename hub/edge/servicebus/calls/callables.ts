import type { Bus } from '../../../../platform/bus/index.ts'
import { RefusedError } from '../../../../platform/lifecycle/index.ts'
import type { Store } from '../../../../platform/store/index.ts'
import { assignedRules, callOf, type Rule } from '../../../../schemas/index.ts'

/** What a local application may call in the cloud. */
export interface Callable {
  /** `<namespace>/<name>`; absent: a KubeEdge cloud has registered the URL alone. */
  readonly rule?: string
  readonly uid?: string
  readonly targetUrl: string
}

export interface CallablesPorts {
  readonly bus: Bus
  readonly store: Store
  readonly nodeName: string
}

const MOST_URLS = 1000
const LONGEST_URL = 4096

/** Rules of this node that begin at its ServiceBus, as they are now, and the URLs that a KubeEdge cloud has registered. */
export class Callables {
  readonly #ports: CallablesPorts
  readonly #urls = new Set<string>()

  constructor(ports: CallablesPorts) {
    this.#ports = ports
  }

  async open(): Promise<void> {
    this.#urls.clear()
    for (const row of await this.#ports.store.read({ statement: 'servicebus.urls', parameters: [] })) {
      this.#urls.add(String(row['url']))
    }
  }

  byRule(name: string): Callable | undefined {
    const rule = this.#ports.bus.get(assignedRules, name)
    return rule && this.#callable(name, rule)
  }

  /** Those of rules first, by their names. */
  list(): readonly Callable[] {
    const rules = [...this.#ports.bus.list(assignedRules)].flatMap(([name, rule]) => this.#callable(name, rule) ?? [])
    rules.sort((one, other) => ((one.rule ?? '') < (other.rule ?? '') ? -1 : 1))
    return [...rules, ...[...this.#urls].map((targetUrl) => ({ targetUrl }))]
  }

  /** Settles when it is on disk. */
  async register(url: string): Promise<void> {
    const targetUrl = whole(url)
    if (this.#urls.has(targetUrl)) return
    if (targetUrl === '' || targetUrl.length > LONGEST_URL || this.#urls.size >= MOST_URLS) {
      throw new RefusedError('A target URL of the cloud is refused', {
        code: 'HUB_TARGET_URL_REFUSED',
        fields: { url: targetUrl.slice(0, 200), most: MOST_URLS },
      })
    }
    await this.#ports.store.write([{ statement: 'servicebus.putUrl', parameters: [targetUrl] }])
    this.#urls.add(targetUrl)
  }

  async unregister(url: string): Promise<void> {
    const targetUrl = whole(url)
    if (!this.#urls.delete(targetUrl)) return
    await this.#ports.store.write([{ statement: 'servicebus.removeUrl', parameters: [targetUrl] }])
  }

  /** A cloud that sends rules says all that it offers with them. */
  async forgetUrls(): Promise<void> {
    for (const url of [...this.#urls]) await this.unregister(url)
  }

  #callable(rule: string, object: Rule): Callable | undefined {
    const call = callOf(object, 'servicebus')
    if (!call || call.node !== this.#ports.nodeName) return undefined
    const { uid } = object.metadata
    return { rule, ...(uid === undefined ? {} : { uid }), targetUrl: call.targetUrl }
  }
}

/** KubeEdge's `stop` names the URL as a path, with one slash after its scheme. */
function whole(url: string): string {
  return url.replace(/^(https?:)\/+/, '$1//')
}
