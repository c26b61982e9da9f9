import { durationText } from '../duration-text.ts'
import { nodesLines, roadLines } from './links-text.ts'
import type { ProcessReport, StatusReport } from './report.ts'

/** A report for people; `now` is Unix ms. */
export function statusText(report: StatusReport, now: number): string {
  return [`skerry ${report.version}`, ...report.processes.flatMap((each) => ['', ...processLines(each, now)])].join(
    '\n',
  )
}

function processLines(process: ProcessReport, now: number): readonly string[] {
  const restarts = process.restarts ? `, restarted ${process.restarts} times` : ''
  const pid = process.pid === undefined ? '' : ` (pid ${process.pid})`
  return [
    `${process.name}${pid}: ${process.state} for ${durationText(now - process.sinceMs)}${restarts}`,
    ...process.modules.map((module) => moduleLine(module, now)),
    ...(process.road ? roadLines(process.road, now) : []),
    ...(process.nodes ? nodesLines(process.nodes, now) : []),
    ...adviceLines(process),
  ]
}

function moduleLine(module: ProcessReport['modules'][number], now: number): string {
  const more = [module.pending ? `waits for ${module.pending}` : '', module.detail ?? ''].filter((part) => part !== '')
  const since = durationText(now - module.sinceMs)
  return `  ${module.name.padEnd(20)} ${module.state.padEnd(11)} ${since.padEnd(8)} ${more.join('; ')}`.trimEnd()
}

/** What to do about a process that is not ready. */
function adviceLines({ name, state, log, pid }: ProcessReport): readonly string[] {
  const look = log === undefined ? [] : [`  log: ${log}`]
  if (state === 'ready' || state === 'starting') return state === 'ready' ? [] : look
  if (state === 'stopped') return [`  start it with: skerry start ${name}`, ...look]
  if (state !== 'silent') return look
  const which = pid === undefined ? '' : ` ${pid}`
  return [`  it does not answer: is process${which} stopped (SIGSTOP), or the machine overloaded?`, ...look]
}
