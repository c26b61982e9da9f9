import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../../platform/time/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { isDeleting, nameOf, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { keyOf } from '../rest/registry.ts'
import { removeObject } from '../rest/remove.ts'
import { API_AUDIENCES, type TokenAuthenticator } from '../serving/authentication.ts'
import type { ObjectStore } from '../storage/object-store.ts'

const SECRETS = '/secrets'
const NAMESPACE = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'
const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = 'system:bootstrappers'
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const EVERY = minutes(1)

/** Tokens that Secrets of kube-system hold, for machines that have no certificate yet. They are for this API alone. */
export function bootstrapAuthenticator(store: ObjectStore, clock: Clock): TokenAuthenticator {
  return async (token, audiences) => {
    const [, id, secret] = TOKEN.exec(token) ?? []
    const own = audiences.filter((each) => API_AUDIENCES.includes(each))
    if (id === undefined || secret === undefined || own.length === 0) return undefined
    const found = store.get(SECRETS, keyOf(NAMESPACE, `bootstrap-token-${id}`))
    if (found?.['type'] !== TYPE || isDeleting(found) || hasEnded(found, clock.now())) return undefined
    const isRight = valueIn(found, 'token-id') === id && isSame(valueIn(found, 'token-secret'), secret)
    const extra = valueIn(found, 'auth-extra-groups')
      .split(',')
      .filter((group) => group !== '')
    if (!isRight || valueIn(found, 'usage-bootstrap-authentication') !== 'true') return undefined
    if (!extra.every((group) => EXTRA_GROUP.test(group))) return undefined
    return { user: { name: `system:bootstrap:${id}`, groups: [GROUP, ...new Set(extra)] }, audiences: own }
  }
}

/** Takes away bootstrap tokens that have ended. */
export function bootstrapExpiry({ api }: ControllerOptions): Controller {
  return {
    watch: () => ({ [Symbol.dispose]: () => undefined }),
    async run(signal) {
      while (!signal.aborted) {
        await removeEnded(api, signal)
        await api.clock.sleep(EVERY, signal)
      }
    },
  }
}

async function removeEnded(api: ApiContext, signal: AbortSignal): Promise<void> {
  const definition = api.registry.stored(SECRETS)
  if (!definition) return
  for (const [, secret] of api.store.list(SECRETS, `${NAMESPACE}/`)) {
    if (secret['type'] !== TYPE || !hasEnded(secret, api.clock.now())) continue
    const options = { propagation: 'Background', uid: uidOf(secret), resourceVersion: '' } as const
    try {
      await removeObject(api, systemChange(definition, NAMESPACE, signal), nameOf(secret), options)
    } catch (error) {
      // Somebody else removed it, or the disk is full: the next look tries again.
      if (!(error instanceof StatusError)) throw error
    }
  }
}

/** One whose end cannot be read has ended. */
function hasEnded(secret: ApiObject, now: number): boolean {
  const expiration = valueIn(secret, 'expiration')
  return expiration !== '' && !(Date.parse(expiration) > now)
}

function valueIn(secret: ApiObject, key: string): string {
  return Buffer.from(textAt(objectAt(secret, 'data'), key), 'base64').toString('utf8')
}

function isSame(known: string, given: string): boolean {
  const [a, b] = [Buffer.from(known), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}
