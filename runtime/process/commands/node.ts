import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { askProcess } from '../ask.ts'
import { cloudDirectory } from '../cloud-directory.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { checkNodeName } from '../node-name.ts'
import type { Console } from '../terminal.ts'
import { momentText, textTable } from '../text-table.ts'

export interface NodeOptions extends CommonOptions {
  readonly force?: boolean
}

const NodeLine = Type.Object({
  name: Type.String(),
  isConnected: Type.Boolean(),
  isRegistered: Type.Boolean(),
  expires: Type.Optional(Type.Number()),
  revokedSince: Type.Optional(Type.Number()),
})
const NodeList = Type.Object({ nodes: Type.Array(NodeLine) })

/** `skerry node list`: gateways that have joined, and whether they are admitted. */
export async function listNodes(options: CommonOptions, terminal: Console): Promise<number> {
  const answer = await askProcess(cloudDirectory(options.data), 'GET', '/nodes', seconds(10))
  if (!Value.Check(NodeList, answer)) {
    throw new UnavailableError('The running process answered in an unknown form: is it another version of skerry?', {
      code: 'PROCESS_ANSWER_UNKNOWN',
    })
  }
  const rows = answer.nodes.map((node) => [
    node.name,
    node.isConnected ? 'yes' : 'no',
    node.expires === undefined ? 'unknown' : momentText(node.expires),
    stateOf(node),
  ])
  const text =
    rows.length === 0
      ? 'no node has joined'
      : textTable(['NAME', 'CONNECTED', 'CERTIFICATE UNTIL (UTC)', 'STATE'], rows)
  terminal.print(options.output, answer, text)
  return EXIT.ok
}

/** `skerry node revoke NAME`: refused everywhere from now on, and cut off. */
export async function revokeNode(name: string, options: NodeOptions, terminal: Console): Promise<number> {
  const body = { node: checkNodeName(name), force: options.force === true }
  const answer = await askProcess(cloudDirectory(options.data), 'POST', '/nodes/revoke', seconds(10), body)
  terminal.print(
    options.output,
    answer,
    `${name} is cut off; it is let in again after a join with a new token (skerry token create --node ${name}), or with skerry node allow ${name}`,
  )
  return EXIT.ok
}

/** `skerry node allow NAME`: its certificates count again. */
export async function allowNode(name: string, options: CommonOptions, terminal: Console): Promise<number> {
  const body = { node: checkNodeName(name) }
  const answer = await askProcess(cloudDirectory(options.data), 'POST', '/nodes/allow', seconds(10), body)
  const was = typeof answer === 'object' && answer !== null && 'wasRevoked' in answer && answer.wasRevoked === true
  terminal.print(
    options.output,
    answer,
    was ? `${name} is let in with its certificates again` : `${name} was not revoked`,
  )
  return EXIT.ok
}

function stateOf({ revokedSince, isRegistered }: Static<typeof NodeLine>): string {
  if (revokedSince === 0) return 'revoked: its entry in Secret kubeedge/skerry-nodes is damaged'
  if (revokedSince !== undefined) return `revoked since ${momentText(revokedSince)}`
  return isRegistered ? 'admitted' : 'admitted, has not registered yet'
}
