import {
  type DeviceConfig,
  SECURITY_MODES,
  SECURITY_POLICIES,
  type SecurityMode,
  type SecurityPolicyName,
} from '../config.ts'

/** What a server offers, as far as protection goes. */
export interface Protection {
  readonly mode: SecurityMode
  readonly policy: SecurityPolicyName
}

/**
 * The strongest of what is offered that the device allows. Throws where there is none; never answers anything weaker than what
 * is configured, and None only where it is asked for.
 */
export function strongest<T extends Protection>(device: DeviceConfig, offered: readonly T[]): T {
  const allowed = offered.filter((one) => allows(device, one))
  const [best] = allowed.toSorted((left, right) => strengthOf(right) - strengthOf(left))
  if (best) return best
  const { securityMode, securityPolicy } = device
  const wanted =
    securityMode === 'auto' && securityPolicy === 'auto' ? 'protection' : `${securityMode} with ${securityPolicy}`
  const list = offered.map(({ mode, policy }) => (mode === 'None' ? 'None' : `${mode} with ${policy}`))
  const none = offered.some(({ mode }) => mode === 'None')
    ? '; for a connection without any protection, set securityMode: None'
    : ''
  throw new Error(
    `the server ${device.url} offers no ${wanted}; it offers: ${[...new Set(list)].join(', ') || 'nothing known'}${none}`,
  )
}

/** Higher is stronger; the mode counts more than the policy. */
export function strengthOf({ mode, policy }: Protection): number {
  return SECURITY_MODES.indexOf(mode) * SECURITY_POLICIES.length + SECURITY_POLICIES.indexOf(policy)
}

export function wantsNone(device: DeviceConfig): boolean {
  return device.securityMode === 'None' || device.securityPolicy === 'None'
}

function allows(device: DeviceConfig, { mode, policy }: Protection): boolean {
  if (wantsNone(device)) return mode === 'None' && policy === 'None'
  if (mode === 'None' || policy === 'None') return false
  const modeFits = device.securityMode === 'auto' || device.securityMode === mode
  return modeFits && (device.securityPolicy === 'auto' || device.securityPolicy === policy)
}

const POLICY_URI = 'http://opcfoundation.org/UA/SecurityPolicy#'

/** Undefined for a policy that is not known here, or that is broken, as Basic128Rsa15. */
export function policyOf(uri: string | null | undefined): SecurityPolicyName | undefined {
  return SECURITY_POLICIES.find((policy) => uri === `${POLICY_URI}${policy}`)
}

export function policyUri(policy: SecurityPolicyName): string {
  return `${POLICY_URI}${policy}`
}
