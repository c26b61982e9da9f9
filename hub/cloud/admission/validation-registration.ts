import type { Logger } from '../../../platform/log/index.ts'
import { isRecord } from '../kubernetes/guards.ts'
import { type Kubernetes, reasonOfError, VALIDATING_WEBHOOKS } from '../kubernetes/index.ts'

export interface WebhookAddress {
  /** `https://127.0.0.1:9443/validate` */
  readonly url: string
  /** PEM of the CA that signed the webhook's certificate. */
  readonly ca: string
}

export const WEBHOOK_NAME = 'skerry-devices'

/** Tells the API server where Device and DeviceModel are validated. Made or brought up to date; others' changes are overwritten. */
export async function registerWebhook(
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
      clientConfig: { url: address.url, caBundle: Buffer.from(address.ca).toString('base64') },
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
  } else if (urlOf(present) !== address.url || caOf(present) !== webhooks[0]?.clientConfig.caBundle) {
    await kubernetes.patch(VALIDATING_WEBHOOKS, at, { webhooks }, { type: 'merge' }, signal)
  }
  log.info('Admission of devices is registered', { url: address.url })
}

function clientConfigOf(object: object): Readonly<Record<string, unknown>> {
  const webhooks: unknown = Reflect.get(object, 'webhooks')
  const first: unknown = Array.isArray(webhooks) ? webhooks[0] : undefined
  return isRecord(first) && isRecord(first['clientConfig']) ? first['clientConfig'] : {}
}

function urlOf(object: object): unknown {
  return clientConfigOf(object)['url']
}

function caOf(object: object): unknown {
  return clientConfigOf(object)['caBundle']
}
