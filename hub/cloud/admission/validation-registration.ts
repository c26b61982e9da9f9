import type { Logger } from '../../../platform/log/index.ts'
import { type Kubernetes, VALIDATING_WEBHOOKS } from '../kubernetes/index.ts'
import type { WebhookAddress } from './keep-registered.ts'
import { applyWebhooks } from './webhook-configuration.ts'

const WEBHOOK_NAME = 'skerry-devices'

/** Tells the API server where devices, their models, and rules are validated. */
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
        {
          apiGroups: ['rules.kubeedge.io'],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['rules', 'ruleendpoints'],
          scope: 'Namespaced',
        },
      ],
    },
  ]
  if (await applyWebhooks(kubernetes, VALIDATING_WEBHOOKS, WEBHOOK_NAME, webhooks, signal))
    log.info('Admission of devices is registered', { ...address.place })
}
