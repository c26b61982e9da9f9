import { type Duration, ms, seconds, systemClock } from '../../../platform/time/index.ts'
import { askProcess } from '../ask.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { parseDuration } from '../duration-text.ts'
import { EXIT } from '../exit.ts'
import { isReady, parseStatusReport, type StatusReport } from '../status/report.ts'
import { statusText } from '../status/text.ts'
import type { Console } from '../terminal.ts'

export interface StatusOptions extends CommonOptions {
  readonly wait?: string
}

/** `skerry status`: exits 0 once all is ready; without --wait it looks once. */
export async function status(options: StatusOptions, terminal: Console): Promise<number> {
  const limit = options.wait === undefined ? ms(0) : parseDuration(options.wait)
  const report = await poll(options.data, limit)
  terminal.print(options.output, { ready: isReady(report), ...report }, statusText(report, systemClock.now()))
  if (isReady(report)) return EXIT.ok
  const late = report.processes.filter((each) => each.state !== 'ready' && each.state !== 'stopped')
  terminal.error(
    `skerry: not ready: ${late.map((each) => `${each.name} is ${each.state}`).join(', ') || 'a module is still starting'}; its log says why`,
  )
  return EXIT.failure
}

/**
 * Asks until all is ready or the time is over; the last answer counts, and no answer at all is an error. Where nobody named
 * a directory, a `skerry up` that only now makes its own is found too.
 */
async function poll(data: string | undefined, limit: Duration): Promise<StatusReport> {
  const end = systemClock.monotonic() + limit.milliseconds
  for (;;) {
    const asked = await ask(dataDirectory(data, 'ask'))
    const isOver = systemClock.monotonic() >= end
    if (!(asked instanceof Error) && (isReady(asked) || isOver)) return asked
    if (asked instanceof Error && isOver) throw asked
    await systemClock.sleep(ms(200))
  }
}

async function ask(directory: string): Promise<StatusReport | Error> {
  try {
    return parseStatusReport(await askProcess(directory, 'GET', '/status', seconds(5)))
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
}
