import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_DEFINITIONS } from '../../kube/builtin/index.ts'
import { Policy } from '../../kube/rbac/index.ts'
import { authorizeByRoles } from '../../serving/access/authorization.ts'
import type { Admission } from '../rest/context.ts'
import { createRight } from './create-right.ts'

test('who may patch and not create makes no object', async () => {
  const policy = new Policy()
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['create'] },
  ]
  policy.put('roles', { apiVersion, kind: 'Role', metadata: { name: 'r', namespace: 'shop' }, rules })
  policy.put('rolebindings', {
    ...{ apiVersion, kind: 'RoleBinding', metadata: { name: 'b', namespace: 'shop' } },
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [{ kind: 'User', name: 'ann' }],
  })
  const { validate } = createRight(authorizeByRoles(policy))
  const definition = BUILTIN_DEFINITIONS.find(({ kind }) => kind === 'ConfigMap')
  assert.ok(definition)
  const admission = (over: Partial<Admission>): Admission => ({
    ...{ operation: 'CREATE', definition, subresource: '', namespace: 'shop', name: 'menu', dryRun: false },
    ...{ object: undefined, before: undefined, user: { name: 'ann', groups: [] } },
    ...over,
  })
  const check = (over: Partial<Admission>) => validate(admission(over), () => undefined, AbortSignal.timeout(1000))
  await assert.rejects(check({}), /configmaps "menu" is forbidden: User "ann" cannot create resource "configmaps"/)
  await check({ name: 'mine' })
  await check({ operation: 'UPDATE' })
  await check({ user: { name: 'root', groups: ['system:masters'] } })
})
