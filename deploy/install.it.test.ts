import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { kubectl } from '../hub/apiserver/testing/kubectl.ts'
import { type ServedApi, serveTestApi } from '../hub/apiserver/testing/serve.ts'
import { CloudConfig } from '../schemas/config/index.ts'
import { needs } from '../tools/testing/needs.ts'
import { temporaryFolder } from '../tools/testing/temporary-folder.ts'
import { objectsOf, render } from './testing/render.ts'

const FOLDER = import.meta.dirname
const STRICT = ['apply', '--server-side', '--validate=strict', '-f']

const VERSIONS = 'jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}'
/** Of an installation with defaults. */
const RIGHTS = [
  ['update secrets -n kubeedge', 'yes'],
  ['watch secrets -n kubeedge', 'yes'],
  ['watch secrets -n default', 'yes'],
  ['create serviceaccounts --subresource=token -n default', 'yes'],
  ['patch devices.devices.kubeedge.io --subresource=status -n plant', 'yes'],
  ['create tokenreviews.authentication.k8s.io', 'yes'],
  ['create subjectaccessreviews.authorization.k8s.io', 'yes'],
  ['update secrets -n default', 'no'],
  ['get configmaps -n kube-system', 'no'],
  ['get secrets -n kube-system', 'no'],
  ['create serviceaccounts --subresource=token -n kube-system', 'no'],
  ['delete devices.devices.kubeedge.io -n default', 'no'],
  ['patch customresourcedefinitions/rules.rules.kubeedge.io', 'no'],
] as const
const SETUPS: Readonly<Record<string, object>> = {
  'with its defaults': {},
  'with everything set': {
    image: { repository: 'images.example.net:5000/iot/skerry', tag: '0.1.0', pullSecrets: [{ name: 'pull' }] },
    replicas: 3,
    cloudhub: { advertise: ['cloud.example.net', '192.0.2.10', '2001:db8::1'], keadmToken: true },
    devices: { writesPerSecond: 60 },
    log: { level: 'debug' },
    listen: '::',
    workloads: { namespaces: ['default', 'kubeedge'] },
    service: { type: 'NodePort', annotations: { 'example.net/zone': 'a' } },
    networkPolicy: { metricsFrom: [{ podSelector: { matchLabels: { app: 'prometheus' } } }], egress: [{}] },
    resources: { requests: { cpu: '1', memory: '1Gi' } },
    nodeSelector: { zone: 'a' },
    tolerations: [{ key: 'infra', operator: 'Exists', effect: 'NoSchedule' }],
    priorityClassName: 'system-cluster-critical',
  },
  'with all namespaces and little else': {
    workloads: { allNamespaces: true },
    crds: { install: false },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
  },
}

describe('an installation, at an API server that takes nothing it does not know', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  const folder = temporaryFolder('skerry-chart-')
  const releases: (() => Promise<void>)[] = []

  before(async () => {
    api = await serveTestApi({ after: (release) => void releases.push(release) })
    const made = await kubectl(api, ['create', 'namespace', 'kubeedge', '--dry-run=client', '-o', 'yaml'])
    await kubectl(api, [...STRICT, '-'], { input: made.out })
  })

  after(async () => {
    for (const release of releases) await release()
  })

  it('is taken from the plain manifests, and again without a change', async () => {
    const first = await kubectl(api, [...STRICT, join(FOLDER, 'manifests')])
    assert.equal(first.code, 0, first.err)
    assert.doesNotMatch(first.err, /unknown|Warning/)
    for (const each of ['deployment.apps/skerry-cloud', 'poddisruptionbudget.policy/skerry-cloud', 'clusterrole'])
      assert.ok(first.out.includes(each), each)
    const versions = async () => (await kubectl(api, ['get', 'deploy,svc,crd', '-A', '-o', VERSIONS])).out
    const before = await versions()
    assert.equal((await kubectl(api, [...STRICT, join(FOLDER, 'manifests')])).code, 0)
    assert.equal(await versions(), before)
  })

  for (const [right, answer] of RIGHTS) {
    it(`answers ${answer} where its service account asks for: ${right}`, async () => {
      const as = '--as=system:serviceaccount:kubeedge:skerry-cloud'
      const asked = await kubectl(api, ['auth', 'can-i', ...right.split(' '), as])
      // The role that each cluster has in kube-system is not here, and a refusal says so.
      assert.equal(asked.out.trim().split(' ')[0], answer, asked.err)
    })
  }

  for (const [what, values] of Object.entries(SETUPS)) {
    it(`is taken from the chart ${what}`, async () => {
      const defaults = parse(readFileSync(join(FOLDER, 'chart/values.yaml'), 'utf8'))
      const templates = globSync('chart/templates/[0-9]*.yaml', { cwd: FOLDER }).sort()
      const text = templates
        .map((file) => render(readFileSync(join(FOLDER, file), 'utf8'), merged(defaults, values)))
        .join('\n')
      const file = join(folder, 'chart.yaml')
      await writeFile(file, text)
      const applied = await kubectl(api, [...STRICT, file])
      assert.equal(applied.code, 0, applied.err)
      assert.doesNotMatch(applied.err, /unknown|Warning/)
      const deployment = objectsOf(text).find((each) => Object(each).kind === 'Deployment')
      const config = parse(Object(deployment).spec.template.metadata.annotations['skerry.dev/config'])
      const whole = Value.Default(CloudConfig, config)
      assert.deepEqual([...Value.Errors(CloudConfig, whole)], [])
    })
  }
})

/** As helm lays values over the defaults. */
function merged(defaults: unknown, given: unknown): Record<string, unknown> {
  const merge = (a: unknown, b: unknown): unknown => (isMap(a) && isMap(b) ? merged(a, b) : b)
  const result: Record<string, unknown> = { ...Object(defaults) }
  for (const [name, value] of Object.entries(Object(given))) result[name] = merge(result[name], value)
  return result
}

function isMap(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
