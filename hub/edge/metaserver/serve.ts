import type { SecureContextOptions } from 'node:tls'
import type { Scope } from '../../../platform/lifecycle/index.ts'
import { firstOf, type TokenAuthenticator } from '../../serving/access/authentication.ts'
import type { Authorizer } from '../../serving/access/authorization.ts'
import type { Exchange } from '../../serving/answers/answer.ts'
import { createDispatcher } from '../../serving/http/dispatcher.ts'
import { createAnswerer } from '../../serving/http/handler.ts'
import { inVersion } from '../../serving/objects/registry.ts'
import type { CutOff } from '../../serving/reading/cut-off.ts'
import type { AskedResource } from '../../serving/requests/resource-request.ts'
import { accountTokens } from './access/account-tokens.ts'
import { KnownIssuer } from './access/issuer.ts'
import { openLocalPeople, operatorTokens } from './access/local-people.ts'
import { followAccess } from './access/node-access.ts'
import { nodeRights } from './access/rights.ts'
import { openCluster } from './cluster/open-cluster.ts'
import type { MetaServerOptions, MetaServerPorts } from './metaserver-ports.ts'
import { followNode } from './objects/follow-node.ts'
import { createKinds } from './objects/kinds.ts'
import { NodeObjects } from './objects/node-objects.ts'
import { NodeVersions } from './objects/node-versions.ts'
import { isRestart, restarts } from './pods/restart-pods.ts'
import { isOfPod, servePods } from './pods/serve-pods.ts'
import { Copies } from './requests/copies.ts'
import type { NodeContext } from './requests/node-request.ts'
import { serveNode } from './requests/serve-node.ts'

/** All of MetaServer that is loaded when somebody first asks. */
export interface Serving {
  answer(exchange: Exchange, signal: AbortSignal): Promise<void>
  /** Where pods come in: service accounts alone, and health for anybody. */
  answerPod(exchange: Exchange, signal: AbortSignal): Promise<void>
  /** For connections on the loopback. */
  readonly tls: SecureContextOptions
}

/** Everything that MetaServer answers from, kept until the scope closes. */
export async function openServing(ports: MetaServerPorts, options: MetaServerOptions, scope: Scope): Promise<Serving> {
  const { store: disk, meta, bus, nodeName, applications, clock, random, log, metrics } = ports
  const people = await openLocalPeople({ folder: options.folder, nodeName, clock, random })
  const objects = new NodeObjects(await NodeVersions.open({ store: disk, clock, log }))
  const kinds = createKinds()
  const access = followAccess({ meta, bus })
  scope.defer(() => access[Symbol.dispose]())
  const node = followNode({ ...ports, kinds, objects })
  scope.defer(() => node[Symbol.dispose]())
  const issuer = new KnownIssuer({ applications, file: `${options.folder}/issuer.json`, clock, log })
  await issuer.open()
  const copies = new Copies({ store: disk, clock, log })
  await copies.open()
  const get = (resource: string, key: string) => objects.get(resource, key)
  const { accountUid } = access
  const accounts = accountTokens({ issuer, nodeName, audiences: options.audiences, get, accountUid, clock })
  const cutOff = countCutOffs(ports)
  const rights = nodeRights(access)
  const { registry } = kinds
  const address = () => options.address()
  const cluster = await openCluster({ ...ports, registry, rights, copies, address }, scope)
  const context: NodeContext = {
    ...{ store: objects, kinds, rights, applications, copies, meta, bus, nodeName, clock, random, log, cutOff },
    converter: { convert: async (list, definition) => list.map((object) => inVersion(object, definition)) },
    refresh: node.refresh,
    noticed: cluster.noticed,
  }
  metrics
    .gauge({ name: 'skerry_metaserver_objects', help: 'Objects that MetaServer shows.' })
    .follow(() => objects.size)
  metrics
    .gauge({ name: 'skerry_metaserver_watchers', help: 'Watches of what this node holds that are open.' })
    .follow(() => objects.watchers)
  const ofNode = serveNode(context)
  const ofPods = servePods({ objects, rights, edged: ports.edged, clock, metrics })
  const restart = restarts({ bus, rights })
  const serve = (asked: AskedResource) =>
    isRestart(asked) ? restart(asked) : isOfPod(asked) ? ofPods(asked) : ofNode(asked)
  const shared = {
    ...{ clock, random, log, serve },
    descriptions: cluster.descriptions,
    requests: metrics.counter({
      name: 'skerry_metaserver_requests_total',
      help: 'Requests that MetaServer answered.',
      labels: ['verb', 'code'],
    }),
  }
  const answerer = (tokens: TokenAuthenticator, authorize: Authorizer) =>
    createAnswerer(createDispatcher({ ...shared, tokens, authorize }), { clock, cutOff })
  log.info('MetaServer answers', { objects: objects.size })
  return {
    answer: answerer(firstOf([operatorTokens(people.token, nodeName), accounts]), rights.authorize),
    answerPod: answerer(accounts, rights.authorizePod),
    tls: { cert: people.serving.certificate, key: people.serving.privateKey, ca: people.ca },
  }
}

function countCutOffs({ metrics }: MetaServerPorts): CutOff {
  const counter = metrics.counter({
    name: 'skerry_metaserver_cut_off_total',
    help: 'Clients of MetaServer that were cut off because they did not read their list or watch.',
    labels: ['what'],
  })
  return (what) => counter.add(1, { what })
}
