import type { KubeObject } from './kubernetes.ts'
import { ALL_PROPERTIES, type PropertySettings, parsePropertySettings, settingFor } from './property-settings.ts'

/** On a Device or DeviceModel: who wins where cloud and edge changed a desired value without knowing of each other. */
export const DESIRED_POLICY_ANNOTATION = 'skerry.dev/desired-policy'

export const DESIRED_POLICIES = ['CloudWins', 'EdgeWins', 'NewestIntent'] as const
export type DesiredPolicy = (typeof DESIRED_POLICIES)[number]
export const DEFAULT_DESIRED_POLICY: DesiredPolicy = 'NewestIntent'

/** The policy of each property of a device: its own annotation before that of its model. What is malformed says nothing. */
export function desiredPolicies(
  device: KubeObject,
  model: KubeObject | undefined,
): (property: string) => DesiredPolicy {
  const ofDevice = settingsOf(device.metadata.annotations)
  const ofModel = settingsOf(model?.metadata.annotations)
  return (property) => policyNamed(settingFor(property, ofDevice, ofModel)) ?? DEFAULT_DESIRED_POLICY
}

/** Why an annotation of an object with these properties is refused, or nothing. Completes "the annotation ...". */
export function refuseDesiredPolicy(text: string, properties: readonly string[]): string | undefined {
  const parsed = parsePropertySettings(text)
  if (!parsed.ok) return parsed.reason
  for (const [property, word] of parsed.settings) {
    if (!policyNamed(word))
      return `has ${JSON.stringify(word)} in it: a policy is one of ${DESIRED_POLICIES.join(', ')}`
    if (property !== ALL_PROPERTIES && !properties.includes(property)) return `names no property: ${property}`
  }
  return undefined
}

function policyNamed(word: string | undefined): DesiredPolicy | undefined {
  return DESIRED_POLICIES.find((policy) => policy === word)
}

/** A malformed annotation is one that is not there. */
function settingsOf(annotations: Readonly<Record<string, string>> | undefined): PropertySettings | undefined {
  const text = annotations?.[DESIRED_POLICY_ANNOTATION]
  const parsed = text === undefined ? undefined : parsePropertySettings(text)
  return parsed?.ok ? parsed.settings : undefined
}
