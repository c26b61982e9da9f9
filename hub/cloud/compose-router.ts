import type { Module } from '../../platform/lifecycle/index.ts'
import type { Store } from '../../platform/store/index.ts'
import { type ClientAuthoritySource, createAccessModule } from './access/module.ts'
import { createRouterModule, type RouterModule, type RouterOptions, type RouterPorts } from './router/module.ts'

/** What whoever composes the cloud half gives for the Router. */
export interface RouterParts {
  readonly options: RouterOptions
  /** Of `routerStoreDomain`. */
  readonly store: Store
  /** Of client certificates of callers. */
  readonly clientAuthority: ClientAuthoritySource
}

type Ports = Omit<RouterPorts, 'access' | 'clientAuthority' | 'store'>

/** The Router, and who its callers are. */
export function composeRouter(parts: RouterParts | undefined, ports: Ports): readonly [RouterModule?, Module?] {
  if (!parts) return []
  const { options, store, clientAuthority } = parts
  const access = createAccessModule(clientAuthority, ports)
  const router = createRouterModule(options, {
    ...{ ...ports, store, access: access.access, clientAuthority: access.authority },
  })
  return [router, access]
}
