/** First organization of a node's certificate; Kubernetes reads it as the group of all nodes. */
export const NODE_ORGANIZATION = 'system:nodes'

/** RFC 1123 subdomain, as Kubernetes names nodes. */
const NODE_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

export function isNodeName(name: string): boolean {
  return NODE_NAME.test(name)
}

/** Common name of a node's certificate, the same as a kubelet's. */
export function nodeCommonName(node: string): string {
  return `system:node:${node}`
}
