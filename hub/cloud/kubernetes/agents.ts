import { Agent, type RequestOptions } from 'node:https'
import { type Clock, seconds } from '../../../platform/time/index.ts'

/** Watches hold their connection, and must not take those of calls; how many there are, their callers bound. */
export interface Agents {
  readonly calls: Agent
  readonly watches: Agent
}

const TLS_OPTIONS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const
/** Longer than a watch and than a call. */
const RETIREMENT = seconds(400)

/** One pair of agents for one set of credentials and server; the vendor's own opens a connection for each request. */
export class AgentPool implements Disposable {
  readonly #clock: Clock
  readonly #retired = new Map<Agents, Disposable>()
  #current: { readonly name: string; readonly agents: Agents } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What is under way with others goes on to its end. */
  of(server: URL, options: RequestOptions): Agents {
    const set = TLS_OPTIONS.map((option) => [option, options[option]] as const)
    const name = JSON.stringify([server.host, ...set.map(([, value]) => String(value))])
    if (this.#current?.name === name) return this.#current.agents
    if (this.#current) this.#retire(this.#current.agents)
    const given = Object.fromEntries(set.filter(([, value]) => value !== undefined))
    const shared = { ...given, keepAlive: true, keepAliveMsecs: 15_000, minVersion: 'TLSv1.2' } as const
    const agents = { calls: new Agent({ ...shared, maxSockets: 64 }), watches: new Agent(shared) }
    // All go to one server with one set of credentials. By default each request would look up a name with all of the PEM in it.
    for (const agent of [agents.calls, agents.watches]) agent.getName = () => 'api'
    this.#current = { name, agents }
    return agents
  }

  [Symbol.dispose](): void {
    for (const [agents, timer] of this.#retired) {
      timer[Symbol.dispose]()
      destroy(agents)
    }
    this.#retired.clear()
    if (this.#current) destroy(this.#current.agents)
    this.#current = undefined
  }

  #retire(agents: Agents): void {
    dropIdle(agents.calls)
    const timer = this.#clock.after(RETIREMENT, () => {
      this.#retired.delete(agents)
      destroy(agents)
    })
    this.#retired.set(agents, timer)
  }
}

/** Connections that nobody uses just now: after one of them was dead, the others may be so too, and each would cost a call its time. */
export function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
}

/** They are the agent's. */
export function withoutTls(options: RequestOptions): RequestOptions {
  const plain = { ...options }
  for (const option of TLS_OPTIONS) delete plain[option]
  return plain
}

function destroy({ calls, watches }: Agents): void {
  calls.destroy()
  watches.destroy()
}
