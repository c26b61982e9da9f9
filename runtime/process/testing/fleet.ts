import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Endpoints } from '../../../schemas/config/index.ts'
import { parseEndpoints } from '../parse-endpoints.ts'
import { freePort } from '../up/ports.ts'
import { collect, eventually, type Ran, run } from './run.ts'
import { launcher, removeDirectory, temporaryDirectory } from './up.ts'

/** On a machine that does ten other things. */
const START_DEADLINE = 120_000
const METRICS_DEADLINE = 20_000

/** One half of a fleet: a process of its own on a data directory of its own. */
export class Half {
  readonly directory: string
  readonly #kind: 'cloud' | 'edge'
  readonly #on: (...command: readonly string[]) => readonly [string, ...string[]]
  #child: ChildProcess | undefined
  #endpoints: Endpoints = {}

  /** `on` makes the command line that starts its programs, where they run on a disk of their own. */
  constructor(kind: 'cloud' | 'edge', directory: string, on?: Half['on']) {
    this.#kind = kind
    this.directory = directory
    this.#on = on ?? ((...[program = '', ...args]) => [program, ...args])
  }

  get on() {
    return this.#on
  }

  get endpoints(): Endpoints {
    return this.#endpoints
  }

  /** Settles when the process says that it serves. */
  async start(): Promise<void> {
    const [program, ...args] = this.#on(process.execPath, launcher, this.#kind, '--data', this.directory)
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child = child
    const output = collect(child)
    const words = () => output.stderr().slice(-2000)
    this.#endpoints = await new Promise<Endpoints>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.#kind} is not ready: ${words()}`)), START_DEADLINE)
      child.once('close', () => reject(new Error(`${this.#kind} ended: ${words()}`)))
      child.on('message', (message: unknown) => {
        if (typeof message !== 'object' || message === null || !('ready' in message)) return
        clearTimeout(timer)
        resolve(parseEndpoints(message.ready, this.#kind))
      })
    })
  }

  /** Settles when the process is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'exit')
    child.kill(signal)
    await closed
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(signal)
  }

  skerry(...args: readonly string[]): Promise<Ran> {
    const [program, ...command] = this.#on(process.execPath, launcher, ...args, '--data', this.directory)
    return run(program, command)
  }

  async write(file: string, text: string): Promise<void> {
    const [program, ...args] = this.#on('tee', join(this.directory, file))
    const ran = await run(program, args, { input: text })
    assert.equal(ran.code, 0, ran.stderr)
  }

  /** The process in `skerry status -o json`. */
  async status(): Promise<Readonly<Record<string, unknown>>> {
    const ran = await this.skerry('status', '-o', 'json')
    const report: { processes: readonly Readonly<Record<string, unknown>>[] } = JSON.parse(ran.stdout)
    const [own] = report.processes
    assert.ok(own, ran.stdout)
    return own
  }

  /** Sum of a metric over its label values that match; 0 where it has none yet. */
  async metric(name: string, labels = ''): Promise<number> {
    const response = await fetch(`${this.#endpoints.metrics?.[this.#kind]}/metrics`, {
      signal: AbortSignal.timeout(METRICS_DEADLINE),
    })
    const lines = (await response.text()).split('\n').filter((line) => /^[a-z]/.test(line))
    const own = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    const wanted = own.filter((line) => line.includes(labels))
    return wanted.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  async metricNames(): Promise<readonly string[]> {
    const response = await fetch(`${this.#endpoints.metrics?.[this.#kind]}/metrics`, {
      signal: AbortSignal.timeout(METRICS_DEADLINE),
    })
    return [...(await response.text()).matchAll(/^# TYPE (skerry_\S+)/gm)].map(([, name = '']) => name)
  }
}

/** Keys of an edge's configuration beside those that every edge of a fleet has. */
export interface EdgeSettings {
  readonly node?: object
  readonly cloud?: object
  readonly edged?: object
  readonly serviceBus?: object
}

/** A cloud half and edges that joined it with tokens, as they stand on different machines. */
export class Fleet {
  readonly directory: string
  readonly cloud: Half
  readonly #edges = new Map<string, Half>()
  #cloudhub = 0
  #certificates = 0

  private constructor(directory: string) {
    this.directory = directory
    this.cloud = new Half('cloud', join(directory, 'cloud'))
  }

  /** `more`: keys of the cloud's configuration beside those that every fleet has; `kubernetes`: the same of that part. */
  static async start(more: object = {}, kubernetes: object = {}): Promise<Fleet> {
    const fleet = new Fleet(temporaryDirectory())
    fleet.#cloudhub = await freePort()
    fleet.#certificates = await freePort()
    await mkdir(fleet.cloud.directory)
    const config = {
      kubernetes: { port: await freePort(), ...kubernetes },
      cloudhub: { port: fleet.#cloudhub, certificatePort: fleet.#certificates },
      cloudstream: { tunnelPort: 0, kubelets: { port: 0 } },
      router: { port: 0 },
      metrics: { port: 0 },
      ...more,
    }
    await writeFile(join(fleet.cloud.directory, 'config.yaml'), JSON.stringify(config))
    await fleet.cloud.start()
    return fleet
  }

  edge(name: string): Half {
    const found = this.#edges.get(name)
    assert.ok(found, name)
    return found
  }

  /** Joins with a token of its own, and starts it. */
  async join(
    name: string,
    half = new Half('edge', join(this.directory, name)),
    more: EdgeSettings = {},
  ): Promise<Half> {
    await this.joinAgain(half, name, more)
    await half.start()
    this.#edges.set(name, half)
    return half
  }

  /** Replaces the identity that it may have. */
  async joinAgain(half: Half, name: string, more: EdgeSettings = {}): Promise<void> {
    const token = await this.cloud.skerry('token', 'create', '--node', name)
    assert.equal(token.code, 0, token.stderr)
    const where = ['--cloud', `127.0.0.1:${this.#cloudhub}`, '--cert-port', String(this.#certificates)]
    const joined = await half.skerry('join', ...where, '--node', name, '--token', token.stdout.trim(), '--force')
    assert.equal(joined.code, 0, joined.stderr)
    const config = {
      node: { name, labels: { 'example.com/site': 'harbour' }, ...more.node },
      cloud: {
        server: `127.0.0.1:${this.#cloudhub}`,
        certificates: `127.0.0.1:${this.#certificates}`,
        // Nobody waits for the pauses between its attempts.
        retrySeconds: 2,
        ...more.cloud,
      },
      mqtt: { port: await freePort(), anonymous: 'full' },
      metrics: { port: 0 },
      http: { port: 0 },
      metaServer: { port: 0 },
      serviceBus: { listener: { port: 0 }, ...more.serviceBus },
      ...(more.edged ? { edged: more.edged } : {}),
    }
    await half.write('config.yaml', JSON.stringify(config))
  }

  kubectl(args: readonly string[], input?: string): Promise<Ran> {
    const env = {
      KUBECONFIG: join(this.cloud.directory, 'kubeconfig'),
      HOME: this.directory,
      KUBECACHEDIR: join(this.directory, 'kubectl-cache'),
    }
    return run('kubectl', args, { env, ...(input === undefined ? {} : { input }) })
  }

  async apply(...objects: readonly object[]): Promise<void> {
    const list = { apiVersion: 'v1', kind: 'List', items: objects }
    const ran = await this.kubectl(['apply', '-f', '-'], JSON.stringify(list))
    assert.equal(ran.code, 0, ran.stderr)
  }

  /** A field by a JSON path of kubectl. */
  async field(kind: string, name: string, path: string): Promise<string> {
    const ran = await this.kubectl(['get', kind, name, '-o', `jsonpath=${path}`])
    if (ran.code !== 0) throw new Error(ran.stderr)
    return ran.stdout
  }

  untilField(kind: string, name: string, path: string, wanted: string): Promise<string> {
    return eventually(`${path} of ${kind} ${name} is ${wanted}`, async () => {
      const text = await this.field(kind, name, path)
      if (text === wanted) return text
      throw new Error(`it is ${text}`)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const half of [...this.#edges.values(), this.cloud]) {
      half.signal('SIGCONT')
      await half.end('SIGKILL')
    }
    await removeDirectory(this.directory)
  }
}

/** An object of the cloud as it is on the disk of an edge, by its KubeEdge key `ns/type/name`; undefined where there is none. */
export function onDisk(edge: Half, key: string): unknown {
  using database = new DatabaseSync(join(edge.directory, 'edge.db'), { readOnly: true })
  const row = database.prepare('SELECT value FROM meta WHERE key = ?').get(key)
  return row === undefined ? undefined : JSON.parse(String(row['value']))
}

/** Publishes at QoS 1 and settles with the broker's receipt. */
export async function publish(edge: Half, topic: string, ...messages: readonly string[]): Promise<void> {
  const ran = await run('mosquitto_pub', [...at(edge), '-q', '1', '-t', topic, '-l'], {
    input: messages.map((message) => `${message}\n`).join(''),
    timeoutMs: 10_000,
  })
  assert.equal(ran.code, 0, ran.stderr)
}

/** Publishes at QoS 1 what may get no receipt, until the signal aborts; true where it got one. */
export async function offer(edge: Half, topic: string, message: string, signal: AbortSignal): Promise<boolean> {
  const ran = await run('mosquitto_pub', [...at(edge), '-q', '1', '-t', topic, '-s'], { input: message, signal })
  return ran.code === 0
}

/** A retained message, or the next one; undefined where none comes in so many seconds. */
export async function retained(edge: Half, topic: string, seconds = 5): Promise<string | undefined> {
  const ran = await run('mosquitto_sub', [...at(edge), '-t', topic, '-C', '1', '-W', String(seconds)])
  return ran.code === 0 ? ran.stdout.trim() : undefined
}

function at(edge: Half): readonly string[] {
  const { hostname, port } = new URL(edge.endpoints.mqtt ?? '')
  return ['-h', hostname, '-p', port]
}
