import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes hub/kube/builtin/types.generated.ts from the model classes of @kubernetes/client-node: names, types, formats and
 * which fields are required.
 */
const MODELS = 'node_modules/@kubernetes/client-node/dist/gen/models'

/** Where the walk starts, and the package whose types those found first are. */
const ROOTS: readonly (readonly [string, string])[] = [
  ['V1ObjectMeta', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1LabelSelector', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1Condition', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1ListMeta', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1FieldSelectorRequirement', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1DeleteOptions', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1Status', 'io.k8s.apimachinery.pkg.apis.meta.v1'],
  ['V1Namespace', 'io.k8s.api.core.v1'],
  ['V1Node', 'io.k8s.api.core.v1'],
  ['V1Pod', 'io.k8s.api.core.v1'],
  ['V1ConfigMap', 'io.k8s.api.core.v1'],
  ['V1Secret', 'io.k8s.api.core.v1'],
  ['V1ServiceAccount', 'io.k8s.api.core.v1'],
  ['V1Service', 'io.k8s.api.core.v1'],
  ['V1Endpoints', 'io.k8s.api.core.v1'],
  ['V1PodTemplateSpec', 'io.k8s.api.core.v1'],
  ['V1Binding', 'io.k8s.api.core.v1'],
  ['CoreV1Event', 'io.k8s.api.core.v1'],
  ['EventsV1Event', 'io.k8s.api.events.v1'],
  ['V1Lease', 'io.k8s.api.coordination.v1'],
  ['V1EndpointSlice', 'io.k8s.api.discovery.v1'],
  ['V1NetworkPolicy', 'io.k8s.api.networking.v1'],
  ['V1Deployment', 'io.k8s.api.apps.v1'],
  ['V1ReplicaSet', 'io.k8s.api.apps.v1'],
  ['V1DaemonSet', 'io.k8s.api.apps.v1'],
  ['V1ControllerRevision', 'io.k8s.api.apps.v1'],
  ['V1Job', 'io.k8s.api.batch.v1'],
  ['V1PodDisruptionBudget', 'io.k8s.api.policy.v1'],
  ['V1Eviction', 'io.k8s.api.policy.v1'],
  ['V1Scale', 'io.k8s.api.autoscaling.v1'],
  ['V1Role', 'io.k8s.api.rbac.v1'],
  ['V1RoleBinding', 'io.k8s.api.rbac.v1'],
  ['V1ClusterRole', 'io.k8s.api.rbac.v1'],
  ['V1ClusterRoleBinding', 'io.k8s.api.rbac.v1'],
  ['V1CertificateSigningRequest', 'io.k8s.api.certificates.v1'],
  ['V1SubjectAccessReview', 'io.k8s.api.authorization.v1'],
  ['V1LocalSubjectAccessReview', 'io.k8s.api.authorization.v1'],
  ['V1SelfSubjectAccessReview', 'io.k8s.api.authorization.v1'],
  ['V1SelfSubjectRulesReview', 'io.k8s.api.authorization.v1'],
  ['V1TokenReview', 'io.k8s.api.authentication.v1'],
  ['V1SelfSubjectReview', 'io.k8s.api.authentication.v1'],
  ['AuthenticationV1TokenRequest', 'io.k8s.api.authentication.v1'],
  ['V1CustomResourceDefinition', 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'],
  ['V1ValidatingWebhookConfiguration', 'io.k8s.api.admissionregistration.v1'],
  ['V1MutatingWebhookConfiguration', 'io.k8s.api.admissionregistration.v1'],
]

const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 's',
  'string|byte': 'y',
  'string|date-time': 't',
  boolean: 'b',
  'number|int32': 'i',
  'number|int64': 'l',
  'number|double': 'd',
  Date: 't',
  'Date|date-time': 't',
  V1MicroTime: 'm',
  'V1MicroTime|date-time': 'm',
  IntOrString: 'x',
  'IntOrString|int-or-string': 'x',
  any: 'a',
  object: 'a',
}

const packages = new Map<string, string[]>()
const types = new Map<string, string>()

/** Text of the generated file. */
export function kubernetesTypes(): string {
  for (const [root, home] of ROOTS) visit(root, home)
  return render()
}

function visit(name: string, home: string): void {
  if (types.has(name)) return
  types.set(name, '')
  packages.set(home, [...(packages.get(home) ?? []), name])
  const script = readFileSync(join(MODELS, `${name}.js`), 'utf8')
  const declarations = readFileSync(join(MODELS, `${name}.d.ts`), 'utf8')
  const table: unknown = JSON.parse(/attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(script)?.[1] ?? '[]')
  if (!Array.isArray(table)) throw new Error(`${name}: no attributeTypeMap`)
  const fields = table.map((entry: unknown) => field(entry, declarations, name, home))
  types.set(name, fields.join(' '))
}

function field(entry: unknown, declarations: string, owner: string, home: string): string {
  const [name, baseName, type, format] = ['name', 'baseName', 'type', 'format'].map((key) => {
    const value: unknown = typeof entry === 'object' && entry !== null ? Reflect.get(entry, key) : undefined
    return typeof value === 'string' ? value : ''
  })
  const isRequired = declarations.includes(`    '${name}': `)
  return `${baseName}${isRequired ? '!' : ''}:${code(type ?? '', format ?? '', owner, home)}`
}

/** `*` a list of, `%` a map of, `@` a structure, else one letter of PRIMITIVES. */
function code(type: string, format: string, owner: string, home: string): string {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type)
  if (list) return `*${code(list[1] ?? '', format, owner, home)}`
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)
  if (map) return `%${code(map[1] ?? '', format, owner, home)}`
  const primitive = PRIMITIVES[format === '' ? type : `${type}|${format}`] ?? PRIMITIVES[type]
  if (primitive) return primitive
  if (!/^[A-Z]\w*$/.test(type)) throw new Error(`${owner}: unknown type ${type} ${format}`)
  visit(type, home)
  return `@${type}`
}

function render(): string {
  const entry = ([name, fields]: readonly [string, string]) => `  ${name}: '${fields}',`
  const homes = [...packages].map(([home, names]) => `  '${home}': '${names.join(' ')}',`)
  return [
    '// Generated by tools/gen/kubernetes-schemas.ts from the models of @kubernetes/client-node. Do not edit.',
    '',
    '/** Structures by name: `field:code`, `!` marks a required field. Codes: see resolve-type.ts. */',
    'export const TYPES: Readonly<Record<string, string>> = {',
    ...[...types].sort(([a], [b]) => a.localeCompare(b)).map(entry),
    '}',
    '',
    '/** Which package each structure is of. */',
    'export const PACKAGES: Readonly<Record<string, string>> = {',
    ...homes,
    '}',
    '',
  ].join('\n')
}
