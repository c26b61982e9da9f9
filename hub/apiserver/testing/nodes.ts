import { arrayAt, conditionStatus, isJsonObject, objectAt, textAt, withCondition } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { ApiBench } from './api-bench.ts'

const PRESSURES = ['MemoryPressure', 'DiskPressure', 'PIDPressure']

export function nodeCalled(name: string): ApiObject {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, spec: {} }
}

export function podOn(node: string, name: string, tolerations: readonly object[] = []): ApiObject {
  const spec = { nodeName: node, containers: [{ name: 'main', image: 'busybox' }], tolerations: [...tolerations] }
  return JSON.parse(JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec }))
}

/** A node of a test: it posts its status and renews its lease when it is told to. */
export class TestNode {
  readonly object: ApiObject
  readonly #bench: ApiBench
  readonly #lease: ApiObject
  /** What its clock is ahead of that of the API, in ms. */
  readonly #ahead: number
  #renewals = 0

  constructor(bench: ApiBench, name: string, ahead = 0) {
    this.#bench = bench
    this.#ahead = ahead
    this.object = nodeCalled(name)
    this.#lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace: 'kube-node-lease' },
    }
  }

  async join(): Promise<void> {
    await this.#bench.create(this.object)
    await this.post()
    await this.#bench.create({ ...this.#lease, spec: this.#renewed() })
  }

  /** Its status: everything is well but what is named. */
  async post(over: Readonly<Record<string, string>> = {}): Promise<void> {
    const lastHeartbeatTime = this.#now().slice(0, 19).concat('Z')
    const statuses = { Ready: 'True', ...Object.fromEntries(PRESSURES.map((type) => [type, 'False'])), ...over }
    await this.#bench.edit(this.object, 'status', (current) =>
      Object.entries(statuses).reduce(
        (node, [type, status]) => withCondition(node, { type, status, reason: 'Test', message: '', lastHeartbeatTime }),
        current,
      ),
    )
  }

  async renew(): Promise<void> {
    await this.#bench.edit(this.#lease, '', (current) => ({ ...current, spec: this.#renewed() }))
  }

  /** Renews each 10 s for so long. */
  async live(seconds: number, others: readonly TestNode[] = []): Promise<void> {
    for (let passed = 0; passed < seconds; passed += 10) {
      for (const each of [this, ...others]) await each.renew()
      await this.#bench.clock.advance({ milliseconds: Math.min(10, seconds - passed) * 1000 })
    }
  }

  get now(): ApiObject {
    return this.#bench.get(this.object) ?? this.object
  }

  condition(type: string): string {
    return conditionStatus(this.now, type)
  }

  /** `key:effect`, without the group of Kubernetes' own keys. */
  get taints(): readonly string[] {
    const taints = arrayAt(objectAt(this.now, 'spec'), 'taints').filter(isJsonObject)
    return taints.map((each) => `${textAt(each, 'key').replace('node.kubernetes.io/', '')}:${textAt(each, 'effect')}`)
  }

  #renewed() {
    return {
      holderIdentity: `${this.#renewals++}`,
      leaseDurationSeconds: 40,
      renewTime: `${this.#now().slice(0, 23)}000Z`,
    }
  }

  #now(): string {
    return new Date(this.#bench.clock.now() + this.#ahead).toISOString()
  }
}
