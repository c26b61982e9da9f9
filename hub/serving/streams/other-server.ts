import { StatusError, type StatusReason } from '../../kube/status.ts'

const CANNOT: Readonly<Record<number, readonly [StatusReason, string | undefined]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  // These have details that their own words tell.
  403: ['Forbidden', undefined],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  406: ['NotAcceptable', undefined],
  409: ['Conflict', 'the server reported a conflict'],
  415: ['UnsupportedMediaType', undefined],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request',
  ],
}

/** A failure that another server answered with, as upstream makes a Status of it. */
export function answeredByServer(
  code: number,
  { plural, name, words }: { readonly plural: string; readonly name: string; readonly words: string },
): StatusError {
  const [reason, said = words] = CANNOT[code] ?? unknown(code, words)
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${said} ( ${plural} ${name})`,
    ...(reason === undefined ? {} : { reason }),
    details: { name, kind: plural },
    code,
  })
}

function unknown(code: number, words: string): readonly [StatusReason | undefined, string] {
  return code >= 500
    ? ['InternalError', `an error on the server (${JSON.stringify(words)}) has prevented the request from succeeding`]
    : [undefined, `the server responded with the status code ${code} but did not return more information`]
}
