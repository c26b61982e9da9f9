import { OBJECT_METADATA, type Words } from './words.ts'

const SERVICE = 'The Service behind which the webhook is, asked over HTTPS. Either this or url has to be set.'
const CLIENT_CONFIG = 'Where the webhook is, and which authority signed its certificate.'
const WEBHOOK = {
  clientConfig: CLIENT_CONFIG,
  namespaceSelector:
    'The webhook is asked only about objects in namespaces whose labels match; about a Namespace by its own labels; about other objects of the cluster always. Default: empty, which is all.',
  objectSelector:
    'The webhook is asked only where the labels of the object match, as it was or as it is to be. Whoever sets labels can avoid the webhook so. Default: empty, which is all.',
}

/** Webhooks of admission and conversion. */
export function webhookWords(): Words {
  return {
    V1MutatingWebhookConfiguration: { metadata: OBJECT_METADATA },
    V1ValidatingWebhookConfiguration: { metadata: OBJECT_METADATA },
    V1MutatingWebhook: WEBHOOK,
    V1ValidatingWebhook: WEBHOOK,
    AdmissionregistrationV1WebhookClientConfig: { service: SERVICE },
    ApiextensionsV1WebhookClientConfig: { service: SERVICE },
    V1WebhookConversion: { clientConfig: `${CLIENT_CONFIG} Required where strategy is Webhook.` },
  }
}
