import type { Logger } from '../../../platform/log/index.ts'
import { type Kubernetes, MUTATING_WEBHOOKS } from '../kubernetes/index.ts'
import { AUTONOMY_LABELS } from './autonomy.ts'
import type { WebhookAddress } from './keep-registered.ts'
import { applyWebhooks } from './webhook-configuration.ts'

const WEBHOOK_NAME = 'skerry-pods'

/** Tells the API server who gives pods with the label of autonomy their toleration. It asks about no other pod. */
export async function registerAutonomy(
  kubernetes: Kubernetes,
  address: WebhookAddress,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const webhooks = [
    {
      name: 'pods.skerry.dev',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      // A cloud half that is down must not keep people from their pods.
      failurePolicy: 'Ignore',
      matchPolicy: 'Equivalent',
      timeoutSeconds: 5,
      clientConfig: { ...address.place, caBundle: Buffer.from(address.ca).toString('base64') },
      objectSelector: { matchLabels: AUTONOMY_LABELS },
      rules: [
        {
          apiGroups: [''],
          apiVersions: ['v1'],
          operations: ['CREATE', 'UPDATE'],
          resources: ['pods'],
          scope: 'Namespaced',
        },
      ],
    },
  ]
  if (await applyWebhooks(kubernetes, MUTATING_WEBHOOKS, WEBHOOK_NAME, webhooks, signal))
    log.info('Autonomy of pods is registered', { ...address.place })
}
