import { codeOf } from '../lifecycle/error-code.ts'
import { UnavailableError } from '../lifecycle/errors.ts'

/** What to do, by what the system says. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space, then try again',
  EDQUOT: 'the quota of this user is used up: free some space, then try again',
  EFBIG: 'it is larger than files may be here: name a place on another disk',
  EROFS: 'the disk is read-only: mount it writable, or name another place',
  EACCES: 'this user has no right to write there: give it, or name another place',
  EPERM: 'this user has no right to write there: give it, or name another place',
  ENOENT: 'its folder is not there: make it, or name another place',
  ENOTDIR: 'what should be its folder is a file: name another place',
  EISDIR: 'a folder has this name: name a file',
  EEXIST: 'something else has this name: name another place',
  ENAMETOOLONG: 'the name is too long: name a shorter one',
  EIO: 'the disk has failed: look at its log',
}

/** Of a file, or folder, that could not be written: which one, and what to do. The former file, if any, is as it was. */
export function notWritten(path: string, cause: unknown): UnavailableError {
  const advice = ADVICE[codeOf(cause) ?? ''] ?? 'the system refused it'
  return new UnavailableError(`${path} cannot be written, ${advice}`, {
    code: 'PLATFORM_FILE_NOT_WRITTEN',
    fields: { path },
    cause,
  })
}
