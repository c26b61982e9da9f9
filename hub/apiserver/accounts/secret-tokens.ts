import { createReconciler } from '../../../platform/lifecycle/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { nameOf, namespaceOf, objectAt, textAt, uidOf, withContent, withMetadata } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { ISSUER } from '../../serving/access/authentication.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import type { AccountTokens } from '../rest/account-tokens.ts'
import { systemChange } from '../rest/context.ts'
import { removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'

export interface SecretTokensOptions extends ControllerOptions {
  readonly accounts: AccountTokens
  /** PEM of the authority that signed the API's serving certificate. */
  readonly ca: string
}

const SECRETS = '/secrets'
const ACCOUNTS = '/serviceaccounts'
const TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'
/** They end with their Secret; a token has to say some time. */
const LIFE_SECONDS = minutes(10 * 365 * 24 * 60).milliseconds / 1000

/** Fills Secrets that ask for a lasting token of a service account, and takes them away with it. */
export function secretTokens({ api, metrics, accounts, ca }: SecretTokensOptions): Controller {
  const reconcile = async (key: string, signal: AbortSignal) => {
    const definition = api.registry.stored(SECRETS)
    const secret = api.store.get(SECRETS, key)
    if (!definition || secret?.['type'] !== TYPE) return
    const namespace = namespaceOf(secret)
    const change = systemChange(definition, namespace, signal)
    const account = api.store.get(ACCOUNTS, keyOf(namespace, accountOf(secret)))
    const uid = textAt(objectAt(secret.metadata, 'annotations'), UID)
    if (!account || (uid !== '' && uid !== uidOf(account))) {
      const options = { propagation: 'Background', uid: uidOf(secret), resourceVersion: '' } as const
      await removeObject(api, change, nameOf(secret), options)
      return
    }
    if (textAt(objectAt(secret, 'data'), 'token') !== '') return
    const token = accounts.issue(claimsOf(secret, account, Math.floor(api.clock.now() / 1000)))
    await updateObject(
      api,
      change,
      { name: nameOf(secret), subresource: '' },
      {
        propose: (current) => filled(current, uidOf(account), { 'ca.crt': ca, namespace, token }),
      },
    )
  }
  const reconciler = createReconciler({
    ...{ name: 'secret-tokens', workers: 1, clock: api.clock, random: api.random, log: api.log, metrics, reconcile },
  })
  return {
    watch() {
      for (const [key] of api.store.list(SECRETS)) reconciler.enqueue(key)
      return api.store.onChange((resource, { key, after }) => {
        if (resource === SECRETS && after?.['type'] === TYPE) reconciler.enqueue(key)
        if (resource !== ACCOUNTS || after) return
        for (const [own, secret] of api.store.list(SECRETS, `${key.split('/')[0]}/`)) {
          if (secret['type'] === TYPE) reconciler.enqueue(own)
        }
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

function accountOf(secret: ApiObject): string {
  return textAt(objectAt(secret.metadata, 'annotations'), NAME)
}

function claimsOf(secret: ApiObject, account: ApiObject, now: number) {
  const namespace = namespaceOf(secret)
  return {
    ...{ iss: ISSUER, aud: [ISSUER], iat: now, nbf: now, exp: now + LIFE_SECONDS },
    sub: `system:serviceaccount:${namespace}:${nameOf(account)}`,
    'kubernetes.io': {
      namespace,
      serviceaccount: { name: nameOf(account), uid: uidOf(account) },
      secret: { name: nameOf(secret), uid: uidOf(secret) },
    },
  }
}

function filled(secret: ApiObject, uid: string, values: Readonly<Record<string, string>>): ApiObject {
  const encoded = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')])
  const data = { ...objectAt(secret, 'data'), ...Object.fromEntries(encoded) }
  const annotations = { ...objectAt(secret.metadata, 'annotations'), [UID]: uid }
  return withMetadata(withContent(secret, { data }), { annotations })
}
