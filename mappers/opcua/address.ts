/** A node id as text, taken apart. The namespace is a number, or a URI whose number only the server knows. */
export interface NodeAddress {
  readonly namespace: number | string
  /** `i=`, `s=`, `g=` or `b=` with what follows. */
  readonly identifier: string
}

const NODE_ID =
  /^(?:ns=(\d{1,5});|nsu=([^;]+);)?(i=\d{1,10}|s=.+|g=[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|b=[0-9A-Za-z+/]+={0,2})$/
const GREATEST = 0xffff_ffff

/** Undefined for what is no node id. */
export function parseNodeId(text: string): NodeAddress | undefined {
  const [, number, uri, identifier] = NODE_ID.exec(text.trim()) ?? []
  if (identifier === undefined) return undefined
  if (identifier.startsWith('i=') && Number(identifier.slice(2)) > GREATEST) return undefined
  if (number !== undefined && Number(number) > 0xffff) return undefined
  return { namespace: uri ?? Number(number ?? 0), identifier }
}

export interface PathStep {
  readonly namespace: number | string
  readonly name: string
}

/** `/2:Boiler/2:Level`; a `/` in a name is written `&/`. Undefined for what is no browse path. */
export function parseBrowsePath(text: string): readonly PathStep[] | undefined {
  const trimmed = text.trim()
  const steps: PathStep[] = []
  let rest = trimmed.startsWith('/') ? trimmed : `/${trimmed}`
  while (rest !== '') {
    const match = /^\/(?:(\d{1,5}):|\{([^}]+)\}:)?((?:[^/&]|&.)+)/s.exec(rest)
    const name = match?.[3]?.replace(/&(.)/gs, '$1')
    if (!match || name === undefined) return undefined
    steps.push({ namespace: match[2] ?? Number(match[1] ?? 0), name })
    rest = rest.slice(match[0].length)
  }
  return steps.length === 0 ? undefined : steps
}

export interface Address {
  readonly nodeId?: string
  readonly browsePath?: string
  readonly method?: string
  readonly objectId?: string
}

/** Why nothing can be reached this way, or nothing. */
export function addressProblem(visitor: Address): string | undefined {
  const { nodeId, browsePath, method, objectId } = visitor
  if (method !== undefined) {
    if (!parseNodeId(method)) return problem('method', method)
    return objectId === undefined || parseNodeId(objectId) ? undefined : problem('objectId', objectId)
  }
  if (nodeId !== undefined) return parseNodeId(nodeId) ? undefined : problem('nodeId', nodeId)
  if (browsePath === undefined) return 'one of nodeId, browsePath and method is needed'
  if (!parseBrowsePath(browsePath)) return `browsePath "${browsePath}" is no path such as /2:Boiler/2:Level`
  return undefined
}

function problem(key: string, text: string): string {
  return `${key} "${text}" is no node id such as ns=2;s=Boiler.Level, ns=2;i=1005 or nsu=urn:acme;s=Level`
}
