/** Where the Kubernetes API of this node is served for a pod. */
export interface ApiPlace {
  readonly host: string
  readonly port: number
}

/**
 * By which clients in pods find the Kubernetes API: what a kubelet makes of Service `default/kubernetes`. The names have the port of that
 * Service, 443, as programs look for them; the values have the one that is served.
 */
export function apiEnvironment({ host, port }: ApiPlace): ReadonlyMap<string, string> {
  const url = `tcp://${host.includes(':') ? `[${host}]` : host}:${port}`
  return new Map([
    ['KUBERNETES_SERVICE_HOST', host],
    ['KUBERNETES_SERVICE_PORT', String(port)],
    ['KUBERNETES_SERVICE_PORT_HTTPS', String(port)],
    ['KUBERNETES_PORT', url],
    ['KUBERNETES_PORT_443_TCP', url],
    ['KUBERNETES_PORT_443_TCP_PROTO', 'tcp'],
    ['KUBERNETES_PORT_443_TCP_PORT', String(port)],
    ['KUBERNETES_PORT_443_TCP_ADDR', host],
  ])
}
