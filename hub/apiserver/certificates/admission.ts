import type { Clock } from '../../../platform/time/index.ts'
import { CLIENT_SIGNER, certificateIn, conditionsOf, stamped } from '../../kube/certificates/index.ts'
import { objectAt, sameJson, textAt, timestamp, withContent } from '../../kube/object/index.ts'
import { rightTo } from '../../kube/rbac/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { forbidden, invalid } from '../../kube/status.ts'
import { ADMIN_GROUP, type Authorizer } from '../../serving/access/authorization.ts'
import { resourceOf } from '../../serving/objects/registry.ts'
import type { User } from '../../serving/user.ts'
import type { Admission, Admitter } from '../rest/context.ts'
import { readRequest } from './read-request.ts'

export const CERTIFICATE_REQUESTS = 'certificates.k8s.io/certificatesigningrequests'

/** Who asks for a certificate is written down by the server; deciding and signing need a right for the signer. */
export function certificateAdmission({
  clock,
  authorize,
}: {
  readonly clock: Clock
  readonly authorize: Authorizer
}): Admitter {
  const may = (user: User, verb: 'approve' | 'sign', request: ApiObject) => {
    const signer = textAt(objectAt(request, 'spec'), 'signerName')
    const names = [signer, `${signer.split('/')[0]}/*`]
    return names.some(
      (name) => authorize(user, rightTo(verb, { group: 'certificates.k8s.io', plural: 'signers', name })).allowed,
    )
  }
  return {
    async mutate({ operation, definition, subresource, object, user }) {
      if (!object || resourceOf(definition) !== CERTIFICATE_REQUESTS) return undefined
      if (operation === 'CREATE') return ofUser(object, user)
      if (subresource === '') return undefined
      const conditions = stamped(conditionsOf(object), timestamp(clock.now()))
      if (conditions.length === 0) return undefined
      return withContent(object, { status: { ...objectAt(object, 'status'), conditions } })
    },
    async validate(admission) {
      const { operation, definition, subresource, name, object, before, user } = admission
      if (!object || resourceOf(definition) !== CERTIFICATE_REQUESTS) return
      if (operation === 'CREATE') return await checkNew(admission, object)
      const refuse = (verb: string) => {
        const signer = JSON.stringify(textAt(objectAt(object, 'spec'), 'signerName'))
        return forbidden(definition, name, `user not permitted to ${verb} requests with signerName ${signer}`)
      }
      if (subresource === 'approval' && !may(user, 'approve', object)) throw refuse('approve')
      const isSigning = subresource === 'status' && before && !sameJson(certificateIn(before), certificateIn(object))
      if (isSigning && !may(user, 'sign', object)) throw refuse('sign')
    },
  }
}

/** Whatever the author of the request says of himself. */
function ofUser(asked: ApiObject, { name: username, uid, groups, extra }: User): ApiObject {
  const { request, signerName, usages, expirationSeconds } = objectAt(asked, 'spec')
  const given = { request, signerName, expirationSeconds, usages }
  const said = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  const author = { username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
  return withContent(asked, { spec: { ...Object.fromEntries(said), ...author } })
}

async function checkNew({ definition, name }: Admission, request: ApiObject): Promise<void> {
  const parsed = await readRequest(request)
  const spec = objectAt(request, 'spec')
  if (typeof parsed === 'string') {
    const message = `Invalid value: ${JSON.stringify(textAt(spec, 'request'))}: ${parsed}`
    throw invalid(definition, name, [{ reason: 'FieldValueInvalid', message, field: 'spec.request' }])
  }
  if (textAt(spec, 'signerName') === CLIENT_SIGNER && parsed.subject.organizations.includes(ADMIN_GROUP)) {
    throw forbidden(definition, name, `use of ${CLIENT_SIGNER} signer with ${ADMIN_GROUP} group is not allowed`)
  }
}
