import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { askProcess } from '../ask.ts'
import { cloudDirectory } from '../cloud-directory.ts'
import type { CommonOptions } from '../command-options.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import { checkNodeName } from '../node-name.ts'
import { requestToken } from '../request-token.ts'
import type { Console } from '../terminal.ts'
import { momentText, textTable } from '../text-table.ts'

export interface TokenOptions extends CommonOptions {
  readonly node?: string
  readonly ttl?: string
}

/** `skerry token create`: asks the running cloud half of this data directory. */
export async function createToken(options: TokenOptions, terminal: Console): Promise<number> {
  const ttl = parseDuration(options.ttl ?? '24h')
  if (options.node !== undefined) checkNodeName(options.node)
  const answer = await requestToken(cloudDirectory(options.data), { ttl, node: options.node })
  terminal.print(options.output, answer, answer.token)
  return EXIT.ok
}

const TokenLine = Type.Object({
  id: Type.String(),
  node: Type.Optional(Type.String()),
  made: Type.Optional(Type.Number()),
  expires: Type.Number(),
  isRevoked: Type.Boolean(),
  joins: Type.Number(),
})
const TokenList = Type.Object({ tokens: Type.Array(TokenLine) })

/** `skerry token list`: those that have not expired. The tokens themselves are kept nowhere. */
export async function listTokens(options: CommonOptions, terminal: Console): Promise<number> {
  const answer = await askProcess(cloudDirectory(options.data), 'GET', '/tokens', seconds(10))
  if (!Value.Check(TokenList, answer)) throw unknownAnswer()
  const rows = answer.tokens.map((token) => [
    token.id,
    token.node ?? '(any)',
    token.made === undefined ? '' : momentText(token.made),
    momentText(token.expires),
    stateOf(token),
  ])
  const text = rows.length === 0 ? 'no tokens' : textTable(['ID', 'NODE', 'MADE (UTC)', 'EXPIRES (UTC)', 'STATE'], rows)
  terminal.print(options.output, answer, text)
  return EXIT.ok
}

/** `skerry token revoke ID`. */
export async function revokeToken(id: string, options: CommonOptions, terminal: Console): Promise<number> {
  const answer = await askProcess(cloudDirectory(options.data), 'POST', '/tokens/revoke', seconds(10), { id })
  if (!Value.Check(TokenLine, answer)) throw unknownAnswer()
  const more = answer.joins === 0 ? '' : '; who joined with it stays (skerry node revoke cuts a node off)'
  terminal.print(options.output, answer, `token ${answer.id} is revoked${more}`)
  return EXIT.ok
}

/** `skerry token rotate`: another signing key. */
export async function rotateTokens(options: CommonOptions, terminal: Console): Promise<number> {
  const answer = await askProcess(cloudDirectory(options.data), 'POST', '/tokens/rotate', seconds(20))
  terminal.print(options.output, answer, 'the key of tokens is a new one: every token made until now has ended')
  return EXIT.ok
}

function stateOf({ isRevoked, node, joins }: Static<typeof TokenLine>): string {
  if (isRevoked) return 'revoked'
  if (joins === 0) return 'unused'
  return node === undefined ? `used ${joins} times` : 'used'
}

function unknownAnswer(): UnavailableError {
  return new UnavailableError('The running process answered in an unknown form: is it another version of skerry?', {
    code: 'PROCESS_ANSWER_UNKNOWN',
  })
}
