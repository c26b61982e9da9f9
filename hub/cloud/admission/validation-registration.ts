import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '../../../platform/log/index.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { type Kubernetes, reasonOfError, VALIDATING_WEBHOOKS } from '../kubernetes/index.ts'
import type { WebhookAddress } from './keep-registered.ts'

const WEBHOOK_NAME = 'skerry-devices'

/** Tells the API server where Device and DeviceModel are validated. Made or brought up to date; others' changes are overwritten. */
export async function registerValidation(
  kubernetes: Kubernetes,
  address: WebhookAddress,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const webhooks = [
    {
      name: 'devices.skerry.dev',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      // A cloud half that is down must not keep people from their devices: Accepted=False stands behind this.
      failurePolicy: 'Ignore',
      matchPolicy: 'Equivalent',
      timeoutSeconds: 5,
      clientConfig: { ...address.place, caBundle: Buffer.from(address.ca).toString('base64') },
      rules: [
        {
          apiGroups: ['devices.kubeedge.io'],
          apiVersions: ['v1beta1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['devices', 'devicemodels'],
          scope: 'Namespaced',
        },
      ],
    },
  ]
  const at = { name: WEBHOOK_NAME }
  const present = await kubernetes.get(VALIDATING_WEBHOOKS, at, signal)
  if (!present) {
    try {
      await kubernetes.create(VALIDATING_WEBHOOKS, undefined, { metadata: at, webhooks }, signal)
    } catch (error) {
      if (reasonOfError(error) !== 'AlreadyExists') throw error
      await kubernetes.patch(VALIDATING_WEBHOOKS, at, { webhooks }, { type: 'merge' }, signal)
    }
  } else if (isAsWanted(Reflect.get(present, 'webhooks'), webhooks)) {
    return
  } else {
    await kubernetes.patch(VALIDATING_WEBHOOKS, at, { webhooks }, { type: 'merge' }, signal)
  }
  log.info('Admission of devices is registered', { ...address.place })
}

/** API servers fill in what was left out. */
function isAsWanted(present: unknown, wanted: readonly object[]): boolean {
  if (!Array.isArray(present) || present.length !== wanted.length) return false
  return wanted.every((webhook, at) => {
    const known: unknown = present[at]
    return isRecord(known) && Object.entries(webhook).every(([key, value]) => isDeepStrictEqual(known[key], value))
  })
}
