import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { startWholeCloud } from '../../../cloud/testing/kubeedge/whole-cloud.ts'
import { kubeconfig } from '../../../serving/access/kubeconfig.ts'
import { eventually, joinEdge } from '../../testing/joined-edge.ts'
import { openLocalPeople } from '../access/local-people.ts'
import { createMetaServerModule, type MetaServer } from '../module.ts'

const GROUP = 'example.com'
const RBAC = 'rbac.authorization.k8s.io'
const live = () => AbortSignal.timeout(60_000)

/** MetaServer of a node that is joined to a whole cloud half over the embedded API. */
export type ClusterNode = Awaited<ReturnType<typeof startClusterNode>>

export async function startClusterNode(t: TestContext) {
  const whole = await startWholeCloud(t)
  const { certificates, cloudhub, authority } = whole.cloud
  const joined = await joinEdge(t, { certificates, cloudhub, authority: authority.current })
  const directory = temporaryFolder('skerry-gateway-')
  const folder = join(directory, 'metaserver')
  const file = join(directory, 'kubeconfig')
  const log = memoryLogger()
  let edge: Awaited<ReturnType<typeof joined.start>>
  let server: MetaServer
  let port = 0
  let ca = ''

  const begin = async () => {
    edge = await joined.start(whole.cloud.cloudhub.port)
    const { applications } = edge.hub
    server = createMetaServerModule(
      { ...edge, log, applications, edged: () => undefined },
      { host: '127.0.0.1', port, folder, audiences: [] },
    )
    await edge.start(server)
    const url = server.url ?? ''
    port = Number(new URL(url).port)
    const people = await openLocalPeople({ folder, ...edge })
    ca = people.ca
    await writeFile(file, kubeconfig({ server: url, ca, token: people.token }))
  }
  const untilConnected = (isConnected: boolean) =>
    eventually(() => edge.hub.applications.isConnected === isConnected || undefined)
  await begin()
  await untilConnected(true)

  const post = async (path: string, body: object) => {
    const answer = await whole.kubernetes.send({ method: 'POST', path, body }, 'cloud', live())
    if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
    return answer.body
  }
  const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
  return {
    directory,
    kubeconfig: file,
    log,
    get url() {
      return server.url ?? ''
    },
    /** Of its certificate. */
    get ca() {
      return ca
    },
    /** CustomResourceDefinitions of `example.com/v1`, until their kinds are served. */
    async declare(...plurals: readonly string[]) {
      for (const plural of plurals) {
        await post(crds, definition(plural))
        const path = `/apis/${GROUP}/v1/${plural}`
        await eventually(async () => {
          const { status } = await whole.kubernetes.send({ method: 'GET', path }, 'cloud', live())
          return status === 200 || undefined
        })
      }
    },
    async undeclare(plural: string) {
      await whole.kubernetes.send({ method: 'DELETE', path: `${crds}/${plural}.${GROUP}` }, 'cloud', live())
    },
    /** Of a new service account of namespace `default`, with the rights of a ClusterRole. */
    async token(name: string, role?: string): Promise<string> {
      const accounts = '/api/v1/namespaces/default/serviceaccounts'
      await post(accounts, { metadata: { name } })
      if (role !== undefined) {
        const subjects = [{ kind: 'ServiceAccount', name, namespace: 'default' }]
        const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: role }
        await post(`/apis/${RBAC}/v1/clusterrolebindings`, { metadata: { name }, roleRef, subjects })
      }
      const made = await post(`${accounts}/${name}/token`, {
        ...{ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} },
      })
      return String(Reflect.get(Object(Object(made).status), 'token'))
    },
    /** Pulls the cable. */
    async cut() {
      await whole.stop()
      await untilConnected(false)
    },
    /** Ends the edge, and begins another on the same disk. */
    async restart() {
      await edge.stop()
      await begin()
    },
    async mend() {
      await whole.restart()
      await edge.stop()
      await begin()
      await untilConnected(true)
    },
  }
}

function definition(plural: string): JsonObject {
  const singular = plural.slice(0, -1)
  const kind = `${singular.charAt(0).toUpperCase()}${singular.slice(1)}`
  const size = { type: 'integer', description: `How large the ${singular} is.` }
  const schema = { type: 'object', properties: { spec: { type: 'object', properties: { size } } } }
  const additionalPrinterColumns = [
    { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ]
  return {
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      ...{
        group: GROUP,
        scope: 'Namespaced',
        names: { plural, singular, kind, shortNames: [`${singular.charAt(0)}d`] },
      },
      versions: [
        { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, additionalPrinterColumns },
      ],
    },
  }
}
