import { codeOf, describeError, SkerryError } from '../../../platform/lifecycle/index.ts'
import { ObstacleError } from '../pod/obstacle.ts'

/** A volume cannot be had now. The message says what is missing, or what to do. */
export function failedMount(volume: string, message: string, cause?: unknown): ObstacleError {
  return new ObstacleError({ reason: 'FailedMount', message: `volume "${volume}": ${message}` }, cause)
}

/** A container cannot be given what it mounts. */
export function cannotMount(container: string, message: string, cause?: unknown): ObstacleError {
  return new ObstacleError(
    { reason: 'CreateContainerConfigError', message: `container ${container}: ${message}` },
    cause,
  )
}

const OF_THE_DISK: Readonly<Record<string, string>> = {
  ENOSPC: 'there is no space left where this node keeps the files of pods; free some',
  EDQUOT: 'the quota of the disk where this node keeps the files of pods is used up',
  EROFS: 'the disk where this node keeps the files of pods is read-only; check it and mount it again',
  EMFILE: 'this node has too many files open',
  ENFILE: 'this node has too many files open',
}

/** Why something failed, for people: what they can do about, where that is known. */
export function whyNot(error: unknown): string {
  if (error instanceof ObstacleError) return error.waiting.message
  if (!(error instanceof SkerryError)) {
    return OF_THE_DISK[codeOf(error) ?? ''] ?? (error instanceof Error ? error.message : describeError(error))
  }
  switch (error.code) {
    case 'HUB_OFFLINE':
      return 'the cloud is away and this node does not have it'
    case 'HUB_TOKEN_EXPIRED':
      return 'the token that this node has is expired, and the cloud is away or gives no other'
    case 'EDGED_PROGRAM_MISSING':
      return `the program ${String(error.fields['program'])} is not on this node; install it (in Debian it is in the package mount)`
    default: {
      const reason = error.fields['reason']
      return typeof reason === 'string' && reason !== '' ? `${describeError(error)}: ${reason}` : describeError(error)
    }
  }
}
