import { ConfigError } from '../../platform/lifecycle/index.ts'
import { isNodeName } from '../../schemas/index.ts'

/** Answers a name that Kubernetes takes for a node; another one is refused. */
export function checkNodeName(name: string): string {
  if (isNodeName(name)) return name
  throw new ConfigError(`"${name}" is not a node name: use lower-case letters, digits, dots and hyphens`, {
    code: 'PROCESS_NODE_NAME_INVALID',
  })
}
