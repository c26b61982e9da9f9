import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'

/** What a peer that is asked sends back on one connection. */
export interface HostileAnswer {
  readonly name: string
  /** `elsewhere` is the URL of a server that nobody should ask. */
  readonly bytes: (elsewhere: string) => Iterable<string | Buffer>
  /**
   * broken: it is told at once as a failure. late: at the deadline. large: as broken where the body is more than is taken. any: it may pass,
   * and what comes after it is no answer to anything.
   */
  readonly ends: 'broken' | 'late' | 'large' | 'any'
  /** The peer closes its end after the bytes. */
  readonly closes?: boolean
  /** After the bytes, one more each moment, for ever. */
  readonly drips?: string
  /** Its head is good, so who passes bodies on as they come has an answer already. */
  readonly isInBody?: boolean
  /** Before anything of the request was read. */
  readonly isEarly?: boolean
}

const MIB = 1024 * 1024
const HUNDRED_MIB = 100 * MIB
const PIECE = Buffer.alloc(64 * 1024, 'x')
const CHUNK = `${PIECE.length.toString(16)}\r\n${PIECE}\r\n`
const LONG = 'a'.repeat(MIB)
const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`
const SECOND = `${OK}Content-Length: 8\r\n\r\nsmuggled`

function* large(head: string, piece: string | Buffer): Iterable<string | Buffer> {
  yield head
  for (let bytes = 0; bytes < HUNDRED_MIB; bytes += PIECE.length) yield piece
}

const sent = (name: string, ends: HostileAnswer['ends'], text: string, more: Partial<HostileAnswer> = {}) => ({
  ...{ name, ends, bytes: () => [text] },
  ...more,
})
const broken = (name: string, text: string) => sent(name, 'broken', text)
const head = (name: string, ...lines: readonly string[]) =>
  broken(name, `${OK}${lines.join('\r\n')}\r\n\r\n0\r\n\r\n${SECOND}`)
const chunked = (name: string, body: string) => sent(name, 'broken', `${CHUNKED}${body}`, { isInBody: true })
const cut = (name: string, text: string, isInBody = false) => sent(name, 'broken', text, { closes: true, isInBody })

/** Of zeros, which become a thousandth or less. */
const bomb = (coding: string, squeeze: (bytes: Buffer) => Buffer): HostileAnswer => {
  let squeezed: Buffer | undefined
  return {
    ...{ name: `a bomb in ${coding}`, ends: 'any' },
    bytes: () => {
      squeezed ??= squeeze(Buffer.alloc(HUNDRED_MIB))
      return [`${OK}Content-Encoding: ${coding}\r\nContent-Length: ${squeezed.length}\r\n\r\n`, squeezed]
    },
  }
}

const heads: readonly HostileAnswer[] = [
  sent('silence', 'late', ''),
  sent('a head without end', 'late', `${OK}X-Half: a`),
  sent('a head a byte at a time', 'late', OK, { drips: 'x' }),
  { name: 'headers for ever', ends: 'broken', bytes: () => large(OK, 'X-More: and more\r\n'.repeat(3000)) },
  head('one header that is huge', `X-Long: ${LONG}`),
  sent('thousands of headers', 'any', `${OK}${'a:\r\n'.repeat(2500)}Content-Length: 0\r\n\r\n`),
  broken('a flood of answers 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)),
  broken('another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
  head('two lengths', 'Content-Length: 5', 'Content-Length: 6'),
  head('a length and chunks', 'Content-Length: 5', 'Transfer-Encoding: chunked'),
  head('chunks and a length', 'Transfer-Encoding: chunked', 'Content-Length: 5'),
  head('chunks within another coding', 'Transfer-Encoding: gzip, chunked'),
  head('chunks twice', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'),
  head('a negative length', 'Content-Length: -5'),
  head('a name that is empty', ': a'),
  head('a carriage return in a value', 'X-Value: a\rContent-Length: 5'),
  broken('a status beyond all', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n'),
  broken('no status', 'HTTP/1.1 \r\n\r\n'),
  broken('a version to come', 'HTTP/9.9 200 OK\r\n\r\n'),
  broken('the greeting of another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'),
  { name: 'nothing but zeros', ends: 'broken', bytes: () => [Buffer.alloc(MIB)] },
]

const bodies: readonly HostileAnswer[] = [
  sent('a body a byte at a time', 'late', `${OK}Content-Length: 1000000\r\n\r\n`, { drips: 'x', isInBody: true }),
  sent('a body that falls silent', 'late', `${OK}Content-Length: 100\r\n\r\nhalf`, { isInBody: true }),
  chunked('a chunk of a size that is none', 'zz\r\nab\r\n0\r\n\r\n'),
  chunked('a chunk of a negative size', '-1\r\nab\r\n0\r\n\r\n'),
  chunked('a chunk beyond all numbers', `${'f'.repeat(17)}1\r\nab\r\n0\r\n\r\n`),
  chunked('a chunk that is longer than it says', '2\r\nabcdef\r\n0\r\n\r\n'),
  chunked('an extension of a chunk without end', `2;${LONG}\r\nab\r\n0\r\n\r\n`),
  chunked('trailers without end', `0\r\nx: ${LONG}\r\n\r\n`),
  {
    ...{ name: '100 MiB that are announced', ends: 'large' },
    bytes: () => large(`${OK}Content-Length: ${HUNDRED_MIB}\r\n\r\n`, PIECE),
  },
  { name: '100 MiB in chunks', ends: 'large', isInBody: true, bytes: () => large(CHUNKED, CHUNK) },
  { name: '100 MiB until the end', ends: 'large', isInBody: true, bytes: () => large(`${OK}\r\n`, PIECE) },
  bomb('gzip', (bytes) => gzipSync(bytes, { level: 1 })),
  bomb('deflate', (bytes) => deflateSync(bytes, { level: 1 })),
  bomb('br', (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })),
  sent('a body that is longer than its length', 'any', `${OK}Content-Length: 2\r\n\r\n{}${LONG}`),
  sent('a second answer behind the first', 'any', `${OK}Content-Length: 2\r\n\r\n{}${SECOND}`),
  sent('an answer before the request', 'any', `${OK}Content-Length: 2\r\n\r\n{}`, { isEarly: true }),
  {
    ...{ name: 'a way elsewhere', ends: 'any' },
    bytes: (elsewhere) => [`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${elsewhere}\r\nContent-Length: 0\r\n\r\n`],
  },
]

const ends: readonly HostileAnswer[] = [
  cut('an end without a word', ''),
  cut('an end within the head', `${OK}X-Half: a`),
  cut('an end within the body', `${OK}Content-Length: 100\r\n\r\nhalf`, true),
  cut('an end within a chunk', `${CHUNKED}5\r\nab`, true),
  cut('an end without a last chunk', `${CHUNKED}2\r\nab\r\n`, true),
]

/** Answers of which no client may suffer. */
export const HOSTILE_ANSWERS: readonly HostileAnswer[] = [...heads, ...bodies, ...ends]
