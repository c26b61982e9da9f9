import { isDeepStrictEqual } from 'node:util'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { DEVICE_GROUP } from '../../../schemas/index.ts'
import {
  type AnyObject,
  type ApiTroubles,
  CUSTOM_RESOURCE_DEFINITIONS,
  type Kubernetes,
  outdatedDefinition,
} from '../kubernetes/index.ts'
import { definitionLack } from './definition-lack.ts'
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
  troubles?: ApiTroubles,
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
    tellLack(name, present, troubles)
    if (isDeepStrictEqual(present.spec?.['conversion'], conversion)) continue
    // What stood there instead stands no more.
    const webhook = { ...conversion.webhook, clientConfig: { url: null, service: null, ...clientConfig } }
    const patch = { spec: { conversion: { ...conversion, webhook } } }
    await kubernetes.patch(CUSTOM_RESOURCE_DEFINITIONS, { name }, patch, { type: 'merge' }, signal)
    log.info('Conversion of v1alpha2 is registered', { definition: name, ...place })
  }
}

/** Of an older definition an API server drops, without a word, what that does not know. */
function tellLack(name: string, { spec }: AnyObject, troubles: ApiTroubles | undefined): void {
  const what = `all fields of ${name}`
  const lack = definitionLack(name, spec)
  if (lack === undefined) troubles?.answered(what)
  else troubles?.failed(what, outdatedDefinition({ definition: name, detail: lack }))
}
