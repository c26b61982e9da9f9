import { isDeepStrictEqual } from 'node:util'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { DEVICE_GROUP } from '../../../schemas/index.ts'
import { CUSTOM_RESOURCE_DEFINITIONS, type Kubernetes } from '../kubernetes/index.ts'
import type { WebhookAddress } from './keep-registered.ts'

const CONVERTED = [`devices.${DEVICE_GROUP}`, `devicemodels.${DEVICE_GROUP}`]

/**
 * Tells the API server where v1alpha2 is converted: `spec.conversion` of the CustomResourceDefinitions, and nothing else of them.
 * v1beta1 is what is stored, so a webhook that is down keeps nobody from it.
 */
export async function registerConversion(
  kubernetes: Kubernetes,
  { place, ca }: WebhookAddress,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const clientConfig = { ...place, caBundle: Buffer.from(ca).toString('base64') }
  const conversion = { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } }
  for (const name of CONVERTED) {
    const present = await kubernetes.get(CUSTOM_RESOURCE_DEFINITIONS, { name }, signal)
    if (!present) {
      throw new UnavailableError(`CustomResourceDefinition ${name} is not installed: apply what "skerry crds" prints`, {
        code: 'HUB_CLOUD_DEFINITION_MISSING',
        fields: { name },
      })
    }
    if (isDeepStrictEqual(present.spec?.['conversion'], conversion)) continue
    // What stood there instead stands no more.
    const webhook = { ...conversion.webhook, clientConfig: { url: null, service: null, ...clientConfig } }
    const patch = { spec: { conversion: { ...conversion, webhook } } }
    await kubernetes.patch(CUSTOM_RESOURCE_DEFINITIONS, { name }, patch, { type: 'merge' }, signal)
    log.info('Conversion of v1alpha2 is registered', { definition: name, ...place })
  }
}
