import { join } from 'node:path'
import { callControl } from '../../platform/http/index.ts'
import { RefusedError, SkerryError, UnavailableError } from '../../platform/lifecycle/index.ts'
import { DeadlineError, type Duration } from '../../platform/time/index.ts'

/**
 * One question to the process of a data directory. Rejects with PROCESS_NOT_RUNNING where there is none, PROCESS_SILENT where it does
 * not answer, and PROCESS_OF_ANOTHER_KIND where it is none that could; each says what to do.
 */
export async function askProcess(
  dir: string,
  method: 'GET' | 'POST',
  path: string,
  deadline: Duration,
  body?: unknown,
): Promise<unknown> {
  try {
    return await callControl({ dir, method, path, deadline, ...(body === undefined ? {} : { body }) })
  } catch (error) {
    throw explained(error, dir)
  }
}

function explained(error: unknown, dir: string): unknown {
  if (!(error instanceof SkerryError)) return error
  if (error.code === 'PLATFORM_CONTROL_UNKNOWN') {
    return new RefusedError(
      `what runs in ${dir} knows no such command: skerry token and node are for the cloud half, mapper for the edge, stop and start for skerry up; name its directory with --data`,
      { code: 'PROCESS_OF_ANOTHER_KIND' },
    )
  }
  if (error.code !== 'PLATFORM_CONTROL_SILENT') return error
  if (error.cause instanceof DeadlineError) {
    return new UnavailableError(
      `the process of ${dir} does not answer: is it stopped (SIGSTOP), or the machine overloaded? Its process id is in ${join(dir, 'lock.pid')}`,
      { code: 'PROCESS_SILENT' },
    )
  }
  return new UnavailableError(
    `nothing runs in ${dir}: start it with skerry up, cloud or edge, or name another --data`,
    { code: 'PROCESS_NOT_RUNNING' },
  )
}
