/** What a request asks of a kubelet. */
export interface KubeletRequest {
  /** For metrics and limits: few words. */
  readonly what: 'logs' | 'exec' | 'attach' | 'portforward' | 'node'
  readonly verb: 'get' | 'create'
  /** Of `nodes`: any of them allows it, the first is named in a refusal. */
  readonly subresources: readonly [string, ...string[]]
  /** Whose node counts, where the port of the request says nothing of it. */
  readonly pod?: { readonly namespace: string; readonly name: string }
  readonly isUpgrade: boolean
}

export type ReadPath =
  | { readonly ok: true; readonly request: KubeletRequest }
  | { readonly ok: false; readonly status: 404 | 405; readonly text: string }

interface Route {
  readonly pattern: RegExp
  readonly what: KubeletRequest['what']
  readonly methods: readonly string[]
  readonly subresources: readonly [string, ...string[]]
}

const NAME = '[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?'
const POD = `(?<namespace>${NAME})/(?<pod>${NAME})`
const PROXY = ['proxy'] as const
const UPGRADES = ['GET', 'POST'] as const

/**
 * The paths of a kubelet that its own server has open (pkg/kubelet/server/server.go), and the subresources of `nodes` that they need
 * (auth.go, with KubeletFineGrainedAuthz). No path of another form leaves the cloud. In one thing this is stricter: a stream takes
 * `create` also where a WebSocket asks by GET, so that who may read at nodes cannot run commands there. API servers may do both.
 */
const ROUTES: readonly Route[] = [
  route(`/containerLogs/${POD}/${NAME}`, 'logs', ['GET'], PROXY),
  route(`/exec/${POD}(?:/${NAME})?/${NAME}`, 'exec', UPGRADES, PROXY),
  route(`/attach/${POD}(?:/${NAME})?/${NAME}`, 'attach', UPGRADES, PROXY),
  route(`/portForward/${POD}(?:/${NAME})?`, 'portforward', UPGRADES, PROXY),
  route('/stats(?:/summary)?/?', 'node', ['GET'], ['stats']),
  route('/metrics(?:/cadvisor|/resource|/probes)?/?', 'node', ['GET'], ['metrics']),
  route('/pods/?', 'node', ['GET'], ['pods', 'proxy']),
  route('/runningpods/?', 'node', ['GET'], ['pods', 'proxy']),
  route('/healthz(?:/ping|/log|/syncloop)?/?', 'node', ['GET'], ['healthz', 'proxy']),
]

/** `path` is without its query, as it came: what is encoded in it is no path of a kubelet. */
export function readKubeletPath(method: string, path: string): ReadPath {
  for (const { pattern, what, methods, subresources } of ROUTES) {
    const found = pattern.exec(path)
    if (!found) continue
    if (!methods.includes(method)) return { ok: false, status: 405, text: '405: Method Not Allowed' }
    const { namespace, pod: name } = found.groups ?? {}
    const pod = namespace === undefined || name === undefined ? {} : { pod: { namespace, name } }
    const isUpgrade = methods === UPGRADES
    return { ok: true, request: { what, verb: isUpgrade ? 'create' : 'get', subresources, ...pod, isUpgrade } }
  }
  return { ok: false, status: 404, text: '404 page not found' }
}

function route(
  path: string,
  what: Route['what'],
  methods: readonly string[],
  subresources: Route['subresources'],
): Route {
  return { pattern: new RegExp(`^${path}$`), what, methods, subresources }
}
