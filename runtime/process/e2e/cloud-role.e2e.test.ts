import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseAllDocuments } from 'yaml'
import {
  type AccessRule,
  CLOUD_CLUSTER_RULES,
  CLOUD_NAMESPACE_RULES,
  CLOUD_WORKLOAD_RULES,
} from '../../../schemas/access/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { Fleet } from '../testing/fleet.ts'
import { packageRoot } from '../version.ts'

/** `verb group/resource[/subresource]`, behind the namespace where the right is for one alone. */
type Right = string

/** Rights that this run does not call for, and why the cloud half has them. */
const UNUSED: Readonly<Record<string, readonly Right[]>> = {
  'pods of original KubeEdge edges': [
    ...['create /pods', 'delete /pods', 'get /pods', 'patch /pods/status', 'create /serviceaccounts/token'],
    ...['get /persistentvolumeclaims', 'get /persistentvolumes', 'get storage.k8s.io/volumeattachments'],
    ...['create', 'get'].map((verb) => `${verb} certificates.k8s.io/certificatesigningrequests`),
  ],
  'serving certificates of gateways, and callers there': [
    'update certificates.k8s.io/certificatesigningrequests/approval',
    'approve certificates.k8s.io/signers',
    ...['/services', '/endpoints', 'discovery.k8s.io/endpointslices'].map((kind) => `get ${kind}`),
  ],
  'statuses of rules, and callers of the Router and of the stream endpoint': [
    ...['get', 'patch'].map((verb) => `${verb} rules.kubeedge.io/rules`),
    ...['create authentication.k8s.io/tokenreviews', 'create authorization.k8s.io/subjectaccessreviews'],
  ],
  'what gateways say again and again, or only in need': [
    ...['patch /nodes', 'patch /nodes/status', 'get /events', 'patch /events', 'create /events'],
    'kube-node-lease: update coordination.k8s.io/leases',
  ],
  'races with somebody else, or another replica': [
    ...[
      'get devices.kubeedge.io/devices',
      'get devices.kubeedge.io/devicemodels',
      'get devices.kubeedge.io/devicestatuses',
    ],
    ...['get', 'patch'].flatMap((verb) =>
      ['objectsyncs', 'clusterobjectsyncs'].map((kind) => `${verb} reliablesyncs.kubeedge.io/${kind}`),
    ),
    'delete reliablesyncs.kubeedge.io/clusterobjectsyncs',
    'patch reliablesyncs.kubeedge.io/clusterobjectsyncs/status',
    'delete devices.kubeedge.io/devicestatuses',
    'patch admissionregistration.k8s.io/validatingwebhookconfigurations',
    'patch admissionregistration.k8s.io/mutatingwebhookconfigurations',
    ...['get', 'patch'].map((verb) => `kubeedge: ${verb} coordination.k8s.io/leases`),
  ],
  'what pods ask for before the caches have it': ['get /configmaps', 'get /secrets'],
  'renewal of what the cloud half keeps': ['kubeedge: update /secrets', 'kubeedge: patch /configmaps'],
}

describe('the role of the cloud half', { skip: needs('kubectl') }, () => {
  it('is enough, and gives nothing that nobody needs', async () => {
    const fleet = await Fleet.start({}, { audit: { log: 'all', maxMegabytes: 100 } })
    await using _ = fleet
    await fleet.join('edge-1')
    const read = async (name: string) =>
      parseAllDocuments(await readFile(join(packageRoot, 'samples', 'pump', name), 'utf8')).map((each) => each.toJS())
    await fleet.apply(...(await read('model.yaml')), ...(await read('device.yaml')), pod)
    await fleet.untilField('device', 'pump-1', '{.status.conditions[?(@.type=="Accepted")].status}', 'True')
    await fleet.untilField('device', 'pump-1', '{.status.conditions[?(@.type=="Online")].status}', 'False')
    const revoked = await fleet.cloud.skerry('token', 'create')
    assert.equal(revoked.code, 0, revoked.stderr)
    const gone = await fleet.kubectl(['delete', 'device', 'pump-1'])
    assert.equal(gone.code, 0, gone.stderr)
    assert.equal((await fleet.cloud.skerry('node', 'revoke', 'edge-1')).code, 0)
    await fleet.cloud.end('SIGTERM')
    const events = await auditOf(fleet, 'skerry-cloud')
    assert.ok(events.length > 50)
    const refused = events.filter((event) => event.responseStatus.code === 403)
    assert.deepEqual(
      refused.map((event) => event.responseStatus.message),
      [],
    )
    const ofNamespaces = Object.entries(CLOUD_NAMESPACE_RULES).flatMap(([namespace, rules]) =>
      rules.flatMap((rule) => rightsOf(rule).map((right) => `${namespace}: ${right}`)),
    )
    const used = new Set(events.flatMap((event) => rightUsed(event, new Set(ofNamespaces))))
    const given = [
      ...[...CLOUD_CLUSTER_RULES, ...CLOUD_WORKLOAD_RULES].flatMap((rule) => rightsOf(rule)),
      ...ofNamespaces,
    ]
    const explained = new Set(Object.values(UNUSED).flat())
    assert.deepEqual(
      given.filter((right) => !used.has(right) && !explained.has(right)),
      [],
      'rights that are neither used nor explained',
    )
    assert.deepEqual(
      [...explained].filter((right) => !given.includes(right)),
      [],
      'explained, and not given',
    )
  })
})

interface Event {
  readonly verb: string
  readonly user: { readonly username?: string }
  readonly objectRef?: {
    readonly resource: string
    readonly apiGroup?: string
    readonly subresource?: string
    readonly namespace?: string
  }
  readonly responseStatus: { readonly code: number; readonly message?: string }
}

async function auditOf(fleet: Fleet, user: string): Promise<readonly Event[]> {
  const text = await readFile(join(fleet.cloud.directory, 'audit', 'kubernetes.log'), 'utf8')
  const events: readonly Event[] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  return events.filter((event) => event.user.username === user)
}

/** The right that the request needed: one of its namespace where there is such a one, else one of the cluster. */
function rightUsed({ verb, objectRef }: Event, ofNamespaces: ReadonlySet<Right>): readonly Right[] {
  if (!objectRef) return []
  const { resource, apiGroup = '', subresource, namespace } = objectRef
  const right = `${verb} ${apiGroup}/${resource}${subresource === undefined ? '' : `/${subresource}`}`
  const own = `${namespace}: ${right}`
  return [ofNamespaces.has(own) ? own : right]
}

function rightsOf({ verbs, apiGroups, resources }: AccessRule): readonly Right[] {
  return apiGroups.flatMap((group) =>
    resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
  )
}

const pod = {
  ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'till', namespace: 'default' } },
  spec: { nodeName: 'edge-1', containers: [{ name: 'main', image: 'x' }] },
}
