import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { BUILTIN_DEFINITIONS, modelOfType } from '../kube/builtin/index.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, refused } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const PROTOBUF = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
const MODELS = join(dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')), 'gen', 'models')

/** Command, then what has to be among the lines that it prints. */
const EXPLAINED: readonly (readonly [string, readonly RegExp[]])[] = [
  ['pods', [/^KIND: {7}Pod$/, /^VERSION: {4}v1$/, / {2}metadata\t<ObjectMeta>$/, / {2}spec\t<PodSpec>$/]],
  [
    'pod.spec',
    [/^FIELD: spec <PodSpec>$/, / {2}containers\t<\[\]Container> -required-$/, / {2}enum: Always, Never, OnFailure$/],
  ],
  ['pod.spec.containers.ports', [/^FIELD: ports <\[\]ContainerPort>$/, / {2}containerPort\t<integer> -required-$/]],
  ['pod.spec.affinity', [/^ {4}To which nodes, and near or away from which pods/, / {2}podAffinity\t<PodAffinity>$/]],
  ['pod.spec.volumes.iscsi', [/^ {4}A disk behind an iSCSI target\.$/]],
  ['pod.spec.overhead', [/^FIELD: overhead <map\[string\]Quantity>$/]],
  ['pod.metadata.creationTimestamp', [/^FIELD: creationTimestamp <string>$/]],
  ['service.spec.ports.targetPort', [/^FIELD: targetPort <IntOrString>$/]],
  ['lease.spec', [/^FIELD: spec <LeaseSpec>$/, / {2}renewTime\t<string>$/]],
  ['secret.data', [/^FIELD: data <map\[string\]string>$/]],
  ['deployment.spec.strategy.type', [/^ENUM:$/, /^ {4}Recreate$/, /^ {4}RollingUpdate$/]],
  ['networkpolicy.spec.ingress.from', [/ {2}podSelector\t<LabelSelector>$/]],
  ['crd.spec.versions.schema.openAPIV3Schema', [/ {2}x-kubernetes-list-type\t<string>$/, / {2}default\t<JSON>$/]],
  ['crd.spec.versions.schema.openAPIV3Schema.items', [/^ {4}For a list: what each item looks like/]],
  ['clusterroles.rules', [/^FIELD: rules <\[\]PolicyRule>$/, / {2}verbs\t<\[\]string> -required-$/]],
  ['csr.spec', [/ {2}request\t<string> -required-$/]],
  ['mutatingwebhookconfiguration.webhooks', [/ {2}enum: Equivalent, Exact$/]],
  ['pods --output=plaintext-openapiv2', [/^KIND: {5}Pod$/, /^ {3}spec\t<Object>$/]],
  ['events --api-version=events.k8s.io/v1', [/^GROUP: {6}events\.k8s\.io$/, / {2}regarding\t<ObjectReference>$/]],
  ['pod.spec --recursive', [/^ {4}podAffinity\t<PodAffinity>$/, /^ {6}httpGet\t<HTTPGetAction>$/]],
  [
    'pod.spec.securityContext --output=plaintext-openapiv2',
    [/^RESOURCE: securityContext <Object>$/, /^ {5}User, groups, SELinux/],
  ],
  ['job.spec --recursive --output=plaintext-openapiv2', [/^RESOURCE: spec <Object>$/, /^ {3}completions\t<integer>$/]],
]

describe('OpenAPI', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const get = (path: string, headers: Readonly<Record<string, string>> = {}) => ask(api, { path, headers })

  it('of each version is found under its hash, may be kept for ever there, and leads to a newer one', async () => {
    const index = await get('/openapi/v3', { accept: 'text/html' })
    const url = String(at(index.json, 'paths', 'apis/apps/v1', 'serverRelativeURL'))
    const found = await get(url)
    assert.deepEqual([found.status, found.headers['content-type']], [200, 'application/json'])
    assert.match(found.headers['cache-control'] ?? '', /public, immutable/)
    assert.equal(found.headers.etag, `"${new URL(url, api.url).searchParams.get('hash')}"`)
    const other = await get('/openapi/v3/apis/apps/v1?hash=00')
    assert.deepEqual([other.status, other.headers.location], [301, url])
    assert.match((await get('/openapi/v3/apis/apps/v1')).headers['cache-control'] ?? '', /no-cache/)
    for (const path of ['/openapi/v3/apis/apps/v9', '/openapi/v1', '/openapi'])
      assert.equal((await get(path)).status, 404)
    await refused(api, { path: '/openapi/v3/apis/apps/v1', headers: { accept: 'text/html' } }, 406, 'NotAcceptable')
  })

  it('that a client has is not sent again, in whichever way it names it', async () => {
    for (const path of ['/openapi/v2', '/openapi/v3/api/v1']) {
      const { headers } = await get(path)
      for (const known of [headers.etag, `W/${headers.etag}`, `"x", ${headers.etag}`, '*']) {
        const again = await get(path, { 'if-none-match': String(known) })
        assert.deepEqual([again.status, again.text], [304, ''], known)
      }
      assert.equal((await get(path, { 'if-none-match': '"x"' })).status, 200)
    }
  })

  it('2.0 comes as JSON or protobuf, whichever is wanted', async () => {
    const json = await get('/openapi/v2')
    assert.equal(at(json.json, 'swagger'), '2.0')
    const binary = await get('/openapi/v2', { accept: `application/json;q=0.5, ${PROTOBUF}` })
    assert.equal(binary.headers['content-type'], PROTOBUF.replace('@', '.'))
    assert.deepEqual([binary.text.slice(0, 5), binary.headers.etag], ['\n\u00032.0', json.headers.etag])
    assert.equal(
      (await get('/openapi/v2', { accept: `${PROTOBUF}, */*` })).headers['content-type'],
      PROTOBUF.replace('@', '.'),
    )
    await refused(api, { path: '/openapi/v2', headers: { accept: 'application/yaml' } }, 406, 'NotAcceptable')
  })

  it('changes with the kinds that are served, and only where they are', async () => {
    const before = await get('/openapi/v3')
    const widgets = crd()
    await ask(api, { method: 'POST', path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', body: widgets })
    const urlOf = (index: unknown, path: string) => at(index, 'paths', path, 'serverRelativeURL')
    let index = await get('/openapi/v3')
    while (urlOf(index.json, 'apis/acme.io/v1') === undefined) index = await get('/openapi/v3')
    assert.equal(urlOf(index.json, 'api/v1'), urlOf(before.json, 'api/v1'))
    const { json } = await get(String(urlOf(index.json, 'apis/acme.io/v1')))
    const schema = at(json, 'components', 'schemas', 'io.acme.v1.Widget', 'properties', 'spec')
    assert.deepEqual(at(schema, 'properties', 'size'), { type: 'integer', nullable: true, default: 3 })
    const whole = await get('/openapi/v2')
    const spec = at(whole.json, 'definitions', 'io.acme.v1.Widget', 'properties', 'spec')
    assert.deepEqual(spec, { type: 'object', properties: { size: {} } })
  })

  describe('as kubectl explains it', { skip: needs('kubectl') }, () => {
    for (const [command, expected] of EXPLAINED) {
      it(command, async () => {
        const { code, out, err } = await kubectl(api, ['explain', ...command.split(' ')])
        assert.equal(code, 0, err)
        const lines = out.split('\n').map((line) => line.trimEnd())
        const missing = expected.filter((line) => !lines.some((each) => line.test(each)))
        assert.deepEqual(missing, [], out)
      })
    }

    it('has the text of every kind that is listed', async () => {
      for (const definition of BUILTIN_DEFINITIONS.filter(({ verbs }) => verbs === undefined)) {
        const { group, version, plural } = definition
        const model = modelOfType(definition.schema?.['x-skerry-type'] ?? '') ?? ''
        const apiVersion = group === '' ? version : `${group}/${version}`
        const run = await kubectl(api, ['explain', plural, '--api-version', apiVersion])
        const said = run.out.replaceAll(/\s+/g, ' ')
        assert.ok(said.includes(textOf(model)), `${apiVersion} ${plural}: ${said}`)
      }
    })
  })
})

/** The first words of what the client package says of a class. */
function textOf(model: string): string {
  const declaration = readFileSync(join(MODELS, `${model}.d.ts`), 'utf8')
  const [, text = ''] = /\* ([^\n]*)\n\*\/\nexport declare class/.exec(declaration) ?? []
  assert.notEqual(text, '', model)
  return text.replaceAll('\\', '').replaceAll(/\s+/g, ' ').slice(0, 60)
}

function crd(): object {
  const size = { type: 'integer', nullable: true, default: 3 }
  const openAPIV3Schema = { type: 'object', properties: { spec: { type: 'object', properties: { size } } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.acme.io' },
    spec: {
      group: 'acme.io',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  }
}
