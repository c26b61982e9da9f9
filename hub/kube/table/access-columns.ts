import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray } from '../schema/json.ts'
import { ageOf, humanDuration } from './age.ts'
import { AGE, type Column, column, NAME } from './columns.ts'

const ROLE_COLUMNS: readonly Column[] = [
  NAME,
  column('Created At', (role) => at(role.metadata, 'creationTimestamp') ?? null, { type: 'date' }),
]

const BINDING_COLUMNS: readonly Column[] = [
  NAME,
  column('Role', (binding) => `${textAt(binding, 'roleRef', 'kind')}/${textAt(binding, 'roleRef', 'name')}`),
  AGE,
  column('Users', (binding) => subjects(binding, 'User'), { priority: 1 }),
  column('Groups', (binding) => subjects(binding, 'Group'), { priority: 1 }),
  column('ServiceAccounts', (binding) => subjects(binding, 'ServiceAccount'), { priority: 1 }),
]

/** What `kubectl get csr` prints. */
const CERTIFICATE_REQUEST_COLUMNS: readonly Column[] = [
  NAME,
  column('Age', (request, now) => ageOf(at(request.metadata, 'creationTimestamp'), now)),
  column('SignerName', (request) => textAt(request, 'spec', 'signerName') || '<none>'),
  column('Requestor', (request) => textAt(request, 'spec', 'username')),
  column('RequestedDuration', (request) => lifetime(at(request, 'spec', 'expirationSeconds'))),
  column('Condition', condition),
]

/** By `group/Kind`. */
export const ACCESS_COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'rbac.authorization.k8s.io/Role': ROLE_COLUMNS,
  'rbac.authorization.k8s.io/ClusterRole': ROLE_COLUMNS,
  'rbac.authorization.k8s.io/RoleBinding': BINDING_COLUMNS,
  'rbac.authorization.k8s.io/ClusterRoleBinding': BINDING_COLUMNS,
  'certificates.k8s.io/CertificateSigningRequest': CERTIFICATE_REQUEST_COLUMNS,
}

function subjects(binding: ApiObject, kind: string): string {
  const list = at(binding, 'subjects')
  const found = isJsonArray(list) ? list.filter((each) => at(each, 'kind') === kind) : []
  const named = found.map((each) =>
    kind === 'ServiceAccount' ? `${textAt(each, 'namespace')}/${textAt(each, 'name')}` : textAt(each, 'name'),
  )
  return named.join(', ')
}

function condition(request: ApiObject): string {
  const list = at(request, 'status', 'conditions')
  const types = isJsonArray(list) ? list.map((each) => at(each, 'type')) : []
  const decided = types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending'
  const failed = types.includes('Failed') ? ',Failed' : ''
  return `${decided}${failed}${textAt(request, 'status', 'certificate') === '' ? '' : ',Issued'}`
}

function lifetime(seconds: Json | undefined): string {
  return typeof seconds === 'number' ? humanDuration(seconds * 1000) : '<none>'
}

function textAt(value: Json | undefined, ...path: readonly string[]): string {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : ''
}
