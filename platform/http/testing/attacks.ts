/** What a server takes with a body from somebody who may: what attacks are made of. */
export interface TakenRequest {
  readonly method: string
  readonly path: string
  /** Whole lines: `Authorization: Bearer ann`. */
  readonly headers?: readonly string[]
}

/** Bytes for one connection, and what has to come back on it. */
export interface Attack {
  readonly name: string
  readonly bytes: (request: TakenRequest) => Iterable<string | Buffer>
  /** Statuses of which the first answer has one; none: the connection may also be closed without a word. */
  readonly refusals: readonly number[]
  /** A server may also answer as it does to a body that it does not take: what is wrong comes after the head. */
  readonly isInBody?: boolean
  readonly isTooLarge?: boolean
  /** A request before it is answered: whatever that says, there are two answers at most, and the second is a refusal. */
  readonly follows?: boolean
}

const MIB = 1024 * 1024
const HUNDRED_MIB = 100 * MIB
const PIECE = Buffer.alloc(64 * 1024, 'x')
/** More than any head that a server takes. */
const LONG = 'a'.repeat(MIB)

/** A head of a request that is taken, with these lines more. */
export function head({ method, path, headers = [] }: TakenRequest, ...lines: readonly string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...headers, ...lines, '', ''].join('\r\n')
}

/** What must not be taken for a request of its own. */
const smuggled = (request: TakenRequest) => head({ ...request, path: '/smuggled' }, 'Content-Length: 0')

/** Lines for which a request is refused, and a second request that hides behind the first. */
function framed(name: string, refusals: readonly number[], lines: readonly string[], body = ''): Attack {
  return {
    name,
    refusals,
    bytes: (request) => [head(request, ...lines), body, smuggled(request)],
  }
}

const chunked = (name: string, body: string, refusals: readonly number[] = [400]): Attack => ({
  ...framed(name, refusals, ['Transfer-Encoding: chunked'], body),
  isInBody: true,
})

/** A whole head, written by hand. */
function written(name: string, refusals: readonly number[], text: (request: TakenRequest) => string): Attack {
  return { name, refusals, bytes: (request) => [text(request), smuggled(request)] }
}

function* repeated(piece: Buffer | string, times: number): Iterable<Buffer | string> {
  for (let count = 0; count < times; count++) yield piece
}

function* largeBody(first: string, piece: Buffer | string): Iterable<Buffer | string> {
  yield first
  yield* repeated(piece, HUNDRED_MIB / PIECE.length)
}

const LARGE_CHUNK = `${PIECE.length.toString(16)}\r\n${PIECE}\r\n`

const bodies: readonly Attack[] = [
  {
    ...{ name: '100 MiB that are announced', isTooLarge: true, refusals: [] },
    bytes: (request) => largeBody(head(request, `Content-Length: ${HUNDRED_MIB}`), PIECE),
  },
  {
    ...{ name: '100 MiB in chunks', isTooLarge: true, refusals: [] },
    bytes: (request) => largeBody(head(request, 'Transfer-Encoding: chunked'), LARGE_CHUNK),
  },
  {
    ...{ name: '100 MiB for which permission is asked', isTooLarge: true, refusals: [] },
    bytes: (request) => [head(request, `Content-Length: ${HUNDRED_MIB}`, 'Expect: 100-continue')],
  },
  {
    ...{ name: 'a length beyond all numbers', isTooLarge: true, refusals: [400] },
    bytes: (request) => [head(request, `Content-Length: ${'9'.repeat(40)}`), smuggled(request)],
  },
]

const chunks: readonly Attack[] = [
  chunked('a chunk of a size that is none', 'zz\r\nab\r\n0\r\n\r\n'),
  chunked('a chunk of a negative size', '-1\r\nab\r\n0\r\n\r\n'),
  chunked('a chunk of a size in another notation', '0x2\r\nab\r\n0\r\n\r\n'),
  chunked('a chunk beyond all numbers', `${'f'.repeat(17)}1\r\nab\r\n0\r\n\r\n`),
  chunked('a chunk that is longer than it says', '2\r\nabcdef\r\n0\r\n\r\n'),
  chunked('a chunk without its end', '2\r\nab0\r\n\r\n'),
  chunked('a chunk that ends in a line feed alone', '2\nab\n0\n\n'),
  chunked('an extension of a chunk without end', `2;${LONG}\r\nab\r\n0\r\n\r\n`, [413]),
  chunked('trailers without end', `0\r\nx: ${LONG}\r\n\r\n`, [431]),
]

const framing: readonly Attack[] = [
  framed('a length and chunks', [400], ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  framed('chunks and a length', [400], ['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
  framed('two lengths', [400], ['Content-Length: 0', 'Content-Length: 5']),
  framed('a list of lengths', [400], ['Content-Length: 5, 5'], 'abcde'),
  framed('a length with a sign', [400], ['Content-Length: +5'], 'abcde'),
  framed('a negative length', [400], ['Content-Length: -5'], 'abcde'),
  framed('a length in another notation', [400], ['Content-Length: 0x5'], 'abcde'),
  framed('a length with a space', [400], ['Content-Length: 5 5'], 'abcde'),
  framed('chunks that are not the last coding', [400, 501], ['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
  framed('chunks within another coding', [400, 501], ['Transfer-Encoding: gzip, chunked'], '0\r\n\r\n'),
  framed('chunks twice', [400, 501], ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  framed('two codings', [400, 501], ['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  framed('a coding that begins like chunks', [400, 501], ['Transfer-Encoding: chunkedx'], '0\r\n\r\n'),
  framed('a coding in quotes', [400, 501], ['Transfer-Encoding: "chunked"'], '0\r\n\r\n'),
  framed('a coding behind a vertical tab', [400, 501], ['Transfer-Encoding: \u000bchunked'], '0\r\n\r\n'),
  framed('a coding on a folded line', [400, 501], ['Transfer-Encoding:', ' chunked'], '0\r\n\r\n'),
  framed('a space before the colon', [400], ['Transfer-Encoding : chunked'], '0\r\n\r\n'),
  framed('a length with a space before its colon', [400], ['Content-Length : 5'], 'abcde'),
  framed('a name with a space', [400], ['Content Length: 5'], 'abcde'),
  framed('a line without colon', [400], ['nothing']),
  framed('a name that is empty', [400], [': a']),
  framed('a NUL in a value', [400], ['X-Value: a\u0000b']),
  framed('a carriage return in a value', [400], ['X-Value: a\rContent-Length: 5']),
  framed('a second Host', [400], ['Host: evil.example']),
  written('lines that end in a line feed alone', [400], (request) => head(request).replaceAll('\r\n', '\n')),
  written('a space before the first header', [400], (request) => head(request).replace('\r\n', '\r\n ')),
  written('no Host', [400], (request) => head(request).replace('Host: 127.0.0.1\r\n', '')),
  written(
    'chunks in HTTP/1.0',
    [400],
    (request) => `${head(request, 'Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0')}0\r\n\r\n`,
  ),
]

const heads: readonly Attack[] = [
  framed('one header without end', [431], [`X-Long: ${LONG}`]),
  framed('a name without end', [431], [`${LONG}: a`]),
  framed(
    'thousands of headers',
    [431],
    Array.from({ length: 2500 }, () => 'a:'),
  ),
  written('a path without end', [431], (request) => head({ ...request, path: `/${LONG}` })),
  {
    ...{ name: 'headers for ever', refusals: [431] },
    bytes: (request) => largeBody(head(request).slice(0, -2), 'X-More: and more\r\n'.repeat(3000)),
  },
]

const nonsense: readonly Attack[] = [
  written('HTTP/0.9', [400, 505], ({ path }) => `GET ${path}\r\n\r\n`),
  written('a version that is written in another way', [505], (request) => head(request).replace('/1.1', '/2.0')),
  written('a version to come', [400, 505], (request) => head(request).replace('/1.1', '/9.9')),
  written('the begin of HTTP/2', [400], () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  written('a method that nobody knows', [400], (request) => head({ ...request, method: 'SMUGGLE' })),
  written('a method in small letters', [400], (request) => head({ ...request, method: 'get' })),
  written('the greeting of another protocol', [400], () => 'SSH-2.0-OpenSSH_9.6\r\n'),
  written('a tunnel to another host', [405], (request) =>
    head({ ...request, method: 'CONNECT', path: '127.0.0.1:22' }),
  ),
  { name: 'the begin of TLS', refusals: [400], bytes: () => [Buffer.from('16030100750100007103', 'hex'), LONG] },
  { name: 'nothing but zeros', refusals: [400], bytes: () => [Buffer.alloc(MIB)] },
]

const followers: readonly Attack[] = [
  {
    ...{ name: 'nonsense behind a whole request', follows: true, refusals: [400] },
    bytes: (request) => [head(request, 'Content-Length: 0'), 'NONSENSE\r\n\r\n', smuggled(request)],
  },
  {
    ...{ name: 'nonsense behind the last chunk', follows: true, refusals: [400] },
    bytes: (request) => [
      head(request, 'Transfer-Encoding: chunked'),
      '0\r\n\r\nnonsense\r\n\r\n',
      smuggled(request),
      smuggled(request),
    ],
  },
]

/** Requests that are none, or more than what a server takes. */
export const ATTACKS: readonly Attack[] = [...bodies, ...chunks, ...framing, ...heads, ...nonsense, ...followers]

/** Targets that lead nowhere, however they are decoded. */
export const PATHS: readonly string[] = [
  ...['/%2e%2e/%2e%2e/etc/passwd', '/../../etc/passwd', '/..%2f..%2fetc%2fpasswd', '/%c0%ae%c0%ae/etc/passwd'],
  ...['//127.0.0.1:22/', '/\\..\\..\\etc', '/%00', '/%', '/%zz', '/;/..;/', '/%0d%0aX-Split:%20yes'],
  ...[
    'http://evil.example/nowhere',
    'https://user:password@evil.example:99999/',
    '/__proto__/constructor',
    '/nowhere?a[b]=%ff',
  ],
  ...[`/${'../'.repeat(1000)}etc`, `/${'%2f'.repeat(1000)}`, '/nowhere#fragment'],
]
