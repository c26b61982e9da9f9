import { describeError, RefusedError } from '../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../platform/time/index.ts'

/** Why a pull failed. */
export interface PullFailure {
  readonly reason: 'ErrImagePull' | 'RegistryUnavailable' | 'SignatureValidationFailed'
  /** In the runtime's words. */
  readonly message: string
  /** Nobody heard from the registry, or it was too ill to answer: what it would have said is not known. */
  readonly isUnreachable: boolean
}

/** Errors that CRI gives a name, which is how their text begins. */
const NAMED = ['RegistryUnavailable', 'SignatureValidationFailed'] as const

/**
 * Runtimes tell of the network in the words of Go's `net`, `crypto/tls` and `net/http`, and of a registry's answer by its status.
 * What is not in here counts as an answer.
 */
const UNREACHABLE = [
  /\bdial (?:tcp|udp|unix)\b/,
  /\blookup \S+.*: (?:no such host|server misbehaving|i\/o timeout|Temporary failure)/,
  /\bread (?:tcp|udp) /,
  /\b(?:i\/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout exceeded)/,
  /\b(?:connection refused|connection reset by peer|network is (?:unreachable|down)|no route to host|broken pipe)/,
  /\bunexpected EOF\b/,
  /: EOF$/,
  /\bunexpected status(?: code)?\b.*: (?:429|5\d\d)\b/,
  /\b(?:429 Too Many Requests|50[0234] [A-Z])/,
]

export function pullFailure(error: unknown): PullFailure {
  if (error instanceof DeadlineError) {
    const message = `the pull did not end in time: ${error.message}`
    return { reason: 'ErrImagePull', message, isUnreachable: true }
  }
  // Its causes repeat it.
  const message = error instanceof RefusedError ? error.message : describeError(error)
  const reason = NAMED.find((name) => message.startsWith(name)) ?? 'ErrImagePull'
  const isOfRegistry = error instanceof RefusedError && reason !== 'SignatureValidationFailed'
  const isUnreachable = reason === 'RegistryUnavailable' || UNREACHABLE.some((words) => words.test(message))
  return { reason, message, isUnreachable: isOfRegistry && isUnreachable }
}
