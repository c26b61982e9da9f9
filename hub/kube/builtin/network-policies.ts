import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import type { KindRules } from './kind-rules.ts'

/** Policies are objects only: nothing here forwards a packet. */
export const NETWORK_POLICY_RULES: KindRules = { defaults: defaultPolicy }

function defaultPolicy(policy: ApiObject): ApiObject {
  const { spec } = policy
  if (!isJsonObject(spec)) return policy
  const { ingress, egress, policyTypes } = spec
  const implied = isFilled(egress) ? ['Ingress', 'Egress'] : ['Ingress']
  return {
    ...policy,
    spec: {
      podSelector: {},
      ...spec,
      ...(isJsonArray(ingress) ? { ingress: ingress.map(defaultRule) } : {}),
      ...(isJsonArray(egress) ? { egress: egress.map(defaultRule) } : {}),
      policyTypes: isFilled(policyTypes) ? policyTypes : implied,
    },
  }
}

function defaultRule(rule: Json): Json {
  if (!isJsonObject(rule) || !isJsonArray(rule['ports'])) return rule
  return { ...rule, ports: rule['ports'].map((port) => (isJsonObject(port) ? withProtocol(port) : port)) }
}

function withProtocol(port: JsonObject): JsonObject {
  return { ...port, protocol: port['protocol'] ?? 'TCP' }
}

function isFilled(value: Json | undefined): value is readonly Json[] {
  return isJsonArray(value) && value.length > 0
}
