import { callControl } from '../../platform/http/index.ts'
import { SkerryError, UnavailableError } from '../../platform/lifecycle/index.ts'
import type { Duration } from '../../platform/time/index.ts'

/** One question to the process of a data directory. Rejects with PROCESS_NOT_RUNNING, which says what to do, where none answers. */
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
    if (!(error instanceof SkerryError) || error.code !== 'PLATFORM_CONTROL_SILENT') throw error
    throw new UnavailableError(`nothing runs in ${dir}: start it with skerry up, or name another --data`, {
      code: 'PROCESS_NOT_RUNNING',
    })
  }
}
