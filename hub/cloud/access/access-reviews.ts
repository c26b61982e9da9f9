import { createHash } from 'node:crypto'
import type { Clock } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { ACCESS_REVIEWS, type Kubernetes } from '../kubernetes/index.ts'
import type { AccessAttributes, Decision, User } from './access.ts'
import { AnswerCache, type CacheBounds } from './answer-cache.ts'

/** What users may do, by SubjectAccessReview. */
export class AccessReviews {
  readonly #kubernetes: Kubernetes
  readonly #bounds: CacheBounds
  readonly #cache: AnswerCache<Decision>

  constructor(bounds: CacheBounds, { kubernetes, clock }: { readonly kubernetes: Kubernetes; readonly clock: Clock }) {
    this.#kubernetes = kubernetes
    this.#bounds = bounds
    this.#cache = new AnswerCache({ ...bounds, clock })
  }

  async decide(user: User, wanted: AccessAttributes, signal: AbortSignal): Promise<Decision> {
    const spec = specOf(user, wanted)
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64')
    return await this.#cache.ask(key, (limited) => this.#review(spec, limited), signal)
  }

  async #review(spec: JsonObject, signal: AbortSignal) {
    const status = await this.#kubernetes.review(ACCESS_REVIEWS, spec, signal)
    const allowed = status['allowed'] === true && status['denied'] !== true
    const reason = typeof status['reason'] === 'string' ? status['reason'] : ''
    const { good, bad } = this.#bounds
    return { value: { allowed, reason }, isGood: allowed, keep: allowed ? good : bad }
  }
}

function specOf({ name, uid, groups, extra }: User, wanted: AccessAttributes): JsonObject {
  return {
    user: name,
    ...(uid === undefined ? {} : { uid }),
    groups: [...groups],
    ...(extra === undefined ? {} : { extra }),
    ...attributesOf(wanted),
  }
}

function attributesOf(wanted: AccessAttributes): JsonObject {
  if (!('resource' in wanted)) return { nonResourceAttributes: { verb: wanted.verb, path: wanted.path } }
  const { group, version, plural, subresource, namespace, name } = wanted.resource
  return {
    resourceAttributes: {
      verb: wanted.verb,
      group,
      ...(version === undefined ? {} : { version }),
      resource: plural,
      ...(subresource === undefined ? {} : { subresource }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(name === undefined ? {} : { name }),
    },
  }
}
