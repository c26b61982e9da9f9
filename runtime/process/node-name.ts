import { ConfigError } from '../../platform/lifecycle/index.ts'

const NODE_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/** Answers a name that Kubernetes takes for a node; another one is refused. */
export function checkNodeName(name: string): string {
  if (NODE_NAME.test(name)) return name
  throw new ConfigError(`"${name}" is not a node name: use lower-case letters, digits, dots and hyphens`, {
    code: 'PROCESS_NODE_NAME_INVALID',
  })
}
