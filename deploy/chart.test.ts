import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { CLOUD_CLUSTER_RULES, CLOUD_NAMESPACE_RULES, CLOUD_WORKLOAD_RULES } from '../schemas/access/index.ts'
import { isSetting, SETTINGS, type Settings } from './source/values.ts'
import { objectsOf, render } from './testing/render.ts'

const read = (file: string) => readFileSync(join(import.meta.dirname, file), 'utf8')
const files = (pattern: string) => globSync(pattern, { cwd: import.meta.dirname }).sort()
const defaults = parse(read('chart/values.yaml'))
const templates = files('chart/templates/[0-9]*.yaml').map((file) => [file, read(file)] as const)
const rendered = (values: object) =>
  templates.flatMap(([, text]) => objectsOf(render(text, { ...defaults, ...values })))
const named = (objects: readonly unknown[], kind: string, name: string) =>
  objects.filter((each) => Object(each).kind === kind && Object(each).metadata.name === name)

describe('the chart', () => {
  it('with its defaults is what the plain manifests are, but for the namespace that helm makes', () => {
    const plain = files('manifests/*.yaml').flatMap((file) => objectsOf(read(file)))
    assert.ok(plain.length > 20)
    assert.deepEqual(
      rendered({}),
      plain.filter((each) => Object(each).kind !== 'Namespace'),
    )
  })

  it('has a use for each setting, and a setting for each use', () => {
    const all = templates.map(([, text]) => text).join('')
    const used = new Set([...all.matchAll(/\.Values\.([\w.]+)/g)].map(([, path = '']) => path))
    assert.deepEqual([...used].sort(), pathsOf(SETTINGS).sort())
  })

  it('gives the cloud half its rights and no others', () => {
    const roles = rendered({}).filter((each) => /^(Cluster)?Role$/.test(Object(each).kind))
    assert.deepEqual(
      roles.map((each) => Object(each).rules),
      [CLOUD_CLUSTER_RULES, ...Object.values(CLOUD_NAMESPACE_RULES), CLOUD_WORKLOAD_RULES],
    )
  })

  it('lets it read Secrets of the whole cluster only where an operator wants that', () => {
    const bindings = (values: object) =>
      rendered(values)
        .filter((each) => Object(each).roleRef?.name === 'skerry-cloud-workloads')
        .map((each) => `${Object(each).kind} ${Object(each).metadata.namespace ?? ''}`)
    assert.deepEqual(bindings({}), ['RoleBinding default'])
    assert.deepEqual(bindings({ workloads: { allNamespaces: false, namespaces: ['a', 'b'] } }), [
      'RoleBinding a',
      'RoleBinding b',
    ])
    assert.deepEqual(bindings({ workloads: { allNamespaces: true, namespaces: ['a'] } }), ['ClusterRoleBinding '])
    const everywhere = JSON.stringify(CLOUD_CLUSTER_RULES)
    assert.doesNotMatch(everywhere, /"secrets"|"serviceaccounts|"\*"/)
  })

  it('keeps the definitions where it is uninstalled, with their versions', () => {
    const crds = rendered({}).filter((each) => Object(each).kind === 'CustomResourceDefinition')
    assert.ok(crds.length >= 7)
    for (const crd of crds) {
      const { metadata, spec } = Object(crd)
      assert.equal(metadata.annotations['helm.sh/resource-policy'], 'keep')
      // Helm and kubectl leave alone what they do not name: the webhook that the product registers stays through an upgrade.
      assert.equal(spec.conversion, undefined)
    }
    assert.deepEqual(
      rendered({ crds: { install: false } }).filter((each) => crds.includes(each)),
      [],
    )
  })

  it('writes a configuration that holds what was set, whatever is in it', () => {
    const advertise = ['a"b: {{ }}', '::1']
    const [object] = named(rendered({ cloudhub: { ...defaults.cloudhub, advertise } }), 'Deployment', 'skerry-cloud')
    const config = parse(Object(object).spec.template.metadata.annotations['skerry.dev/config'])
    assert.deepEqual(config.cloudhub.advertise, advertise)
    assert.deepEqual(config.admission.service, { namespace: 'kubeedge', name: 'skerry-cloud-internal' })
  })

  it('keeps its data in a folder of its own making: to that of an emptyDir with an fsGroup, others may write', () => {
    const [object] = named(rendered({}), 'Deployment', 'skerry-cloud')
    const { containers, volumes } = Object(object).spec.template.spec
    const [{ env, volumeMounts }] = containers
    const data: string = Object(env.find((each: unknown) => Object(each).name === 'SKERRY_DATA')).value
    const scratch = volumes.filter((each: unknown) => Object(each).emptyDir).map((each: unknown) => Object(each).name)
    const mount = volumeMounts.find(({ mountPath }: { mountPath: string }) => data.startsWith(`${mountPath}/`))
    assert.deepEqual([mount?.name], scratch)
  })

  it('has replicas pass calls on, and lets them alone reach each other for that; one alone listens for nobody', () => {
    const configured = (values: object) => {
      const [cloud] = named(rendered(values), 'Deployment', 'skerry-cloud')
      return parse(Object(cloud).spec.template.metadata.annotations['skerry.dev/config']).router.replicas
    }
    assert.deepEqual(configured({}), { enabled: true, port: 9444 })
    assert.deepEqual(configured({ replicas: 1 }), { enabled: false, port: 9444 })
    const policies = rendered({}).filter((each) => Object(each).kind === 'NetworkPolicy')
    const rules = policies.flatMap((each) => [...Object(each).spec.ingress])
    const own = { podSelector: { matchLabels: Object(policies[0]).spec.podSelector.matchLabels } }
    const open = rules.filter(({ ports }) => ports.some(({ port }: { port: number }) => port === 9444))
    assert.deepEqual(open, [{ from: [own], ports: [{ port: 9444, protocol: 'TCP' }] }])
    const services = rendered({}).filter((each) => Object(each).kind === 'Service')
    assert.doesNotMatch(JSON.stringify(services), /replicas/)
  })

  it('leaves out what is switched off', () => {
    const off = { enabled: false }
    const kinds = rendered({ networkPolicy: { ...defaults.networkPolicy, ...off }, podDisruptionBudget: off }).map(
      (each) => Object(each).kind,
    )
    assert.deepEqual(
      kinds.filter((kind) => /NetworkPolicy|PodDisruptionBudget/.test(kind)),
      [],
    )
  })
})

describe('the renderer of the tests', () => {
  it('refuses actions that it does not know', () => {
    assert.throws(() => render('{{ include "x" . }}', {}), /knows no \{\{ include/)
    assert.throws(() => render('{{ toJson .Values.none }}', {}), /no setting none/)
    assert.throws(() => render('{{ end }}', {}), /without a beginning/)
    assert.throws(() => render('{{ if .Values.a }}x', { a: false }), /has no end/)
  })
})

function pathsOf(settings: Settings, prefix = ''): string[] {
  return Object.entries(settings).flatMap(([name, entry]) =>
    isSetting(entry) ? [`${prefix}${name}`] : pathsOf(entry, `${prefix}${name}.`),
  )
}
