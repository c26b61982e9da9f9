import type { Store } from '../../platform/store/index.ts'
import type { AccessModule } from './access/module.ts'
import { createRouterModule, type RouterModule, type RouterOptions, type RouterPorts } from './router/module.ts'

/** What whoever composes the cloud half gives for the Router. */
export interface RouterParts {
  readonly options: RouterOptions
  /** Of `routerStoreDomain`. */
  readonly store: Store
}

type Ports = Omit<RouterPorts, 'access' | 'clientAuthority' | 'store'> & { readonly caller: AccessModule }

export function composeRouter(parts: RouterParts | undefined, { caller, ...ports }: Ports): RouterModule | undefined {
  if (!parts) return undefined
  const { access, authority: clientAuthority } = caller
  return createRouterModule(parts.options, { ...ports, store: parts.store, access, clientAuthority })
}
