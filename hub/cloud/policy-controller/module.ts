import type { Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, ms } from '../../../platform/time/index.ts'
import { MODULES } from '../../../schemas/index.ts'
import type { CloudHub, NodeSource } from '../cloudhub/delivery.ts'
import type { Workloads } from '../edge-controller/pods/workloads.ts'
import { type AnyObject, type Informer, joinKey, type ObjectKey } from '../kubernetes/index.ts'
import { ACCOUNT_ACCESS, type AccountAccess, accountAccess, type Policy } from './account-access.ts'

export interface PolicyControllerPorts {
  readonly hub: CloudHub
  readonly roles: Informer<AnyObject>
  readonly clusterRoles: Informer<AnyObject>
  readonly roleBindings: Informer<AnyObject>
  readonly clusterRoleBindings: Informer<AnyObject>
  /** Pods of nodes and what they use, once EdgeController has started. */
  readonly workloads: () => Workloads | undefined
  readonly clock: Clock
  readonly log: Logger
}

/** A change of a role may come with many others. */
const GATHER = ms(200)

/**
 * Gives each node what the service accounts of its pods may do, so that MetaServer decides without the cloud. As KubeEdge's object of
 * this kind, made of the API's roles and bindings as they are now; it is kept nowhere but at the edge.
 */
export function createPolicyControllerModule(ports: PolicyControllerPorts): Module {
  return {
    name: 'PolicyController',
    async start(scope) {
      const { hub } = ports
      const source = new PolicySource(ports)
      scope.use(source)
      scope.use(hub.addSource(source))
    },
  }
}

class PolicySource implements NodeSource, Disposable {
  readonly name = 'policy'
  readonly kinds = [ACCOUNT_ACCESS]
  readonly #ports: PolicyControllerPorts
  readonly #subscriptions: readonly Disposable[]
  /** What was given of each account, with the version of the account. */
  readonly #known = new Map<string, { readonly account: AnyObject; readonly access: AccountAccess }>()
  #gathering: Disposable | undefined

  constructor(ports: PolicyControllerPorts) {
    this.#ports = ports
    const onChange = () => {
      this.#gathering ??= ports.clock.after(GATHER, () => this.#changed())
    }
    const all = [ports.roles, ports.clusterRoles, ports.roleBindings, ports.clusterRoleBindings]
    this.#subscriptions = all.map((informer) => informer.onChange(onChange))
  }

  [Symbol.dispose](): void {
    for (const each of this.#subscriptions) each[Symbol.dispose]()
    this.#gathering?.[Symbol.dispose]()
  }

  isReady(node: string): boolean {
    const { roles, clusterRoles, roleBindings, clusterRoleBindings, workloads } = this.#ports
    if (![roles, clusterRoles, roleBindings, clusterRoleBindings].every(({ isSynced }) => isSynced)) return false
    return workloads()?.areAccountsReady(node) ?? false
  }

  deliveriesFor(node: string) {
    const accounts = this.#ports.workloads()?.accountsOf(node) ?? []
    return accounts.flatMap((account) => {
      const { object, version } = this.#access(account)
      return [{ object, version, ...this.addressOf(object) }]
    })
  }

  addressOf({ metadata }: { readonly metadata: ObjectKey }) {
    const { namespace = 'default', name } = metadata
    return { resource: `${namespace}/serviceaccountaccess/${name}`, source: MODULES.policyController }
  }

  #access(account: AnyObject): AccountAccess {
    const key = joinKey(account.metadata)
    const known = this.#known.get(key)
    if (known?.account === account) return known.access
    const access = accountAccess(account, this.#policy())
    this.#known.set(key, { account, access })
    return access
  }

  #policy(): Policy {
    const { roles, clusterRoles, roleBindings, clusterRoleBindings } = this.#ports
    return {
      role: (namespace, name) => roles.get({ namespace, name }),
      clusterRole: (name) => clusterRoles.get({ name }),
      roleBindings: roleBindings.list(),
      clusterRoleBindings: clusterRoleBindings.list(),
    }
  }

  /** Nodes are told whose accounts have other rights now, and no others. */
  #changed(): void {
    this.#gathering = undefined
    const { hub, workloads } = this.#ports
    const policy = this.#policy()
    const nodes = new Set<string>()
    for (const [key, { account, access }] of this.#known) {
      const using = workloads()?.nodesUsing(account) ?? []
      if (using.length === 0) {
        this.#known.delete(key)
        continue
      }
      const now = accountAccess(account, policy)
      if (now.version === access.version) continue
      this.#known.set(key, { account, access: now })
      for (const node of using) nodes.add(node)
    }
    for (const node of nodes) hub.sync(node)
  }
}
