import { isReady, type ProcessReport } from '../../status/report.ts'
import { type Check, type Finding, fail, ok, warn } from '../finding.ts'

/** What is set up, and how its parts are. */
export const processCheck: Check = {
  name: 'skerry',
  async run({ directory, kind, status, problems }) {
    const found: Finding[] = problems.map((problem) =>
      fail(problem, 'correct it; skerry config schema prints what a configuration may hold'),
    )
    if (kind === 'none') {
      return [
        ...found,
        warn(
          `nothing is set up in ${directory}`,
          'name another directory with --data, or begin with skerry up, or with skerry join',
        ),
      ]
    }
    if (!status) {
      const start = kind === 'up' ? 'skerry up' : `skerry ${kind}`
      return [...found, ok(`nothing runs in ${directory}; ${start} starts it`)]
    }
    if (isReady(status))
      return [...found, ok(`${status.processes.map(({ name }) => name).join(', ')} run in ${directory}`)]
    return [...found, ...status.processes.flatMap(troubles)]
  },
}

function troubles({ name, state, modules, log }: ProcessReport): readonly Finding[] {
  const advice = log === undefined ? 'its log says why' : `look at ${log}`
  const parts = modules.filter((module) => module.state !== 'ready')
  if (parts.length === 0) return state === 'ready' || state === 'stopped' ? [] : [fail(`${name} is ${state}`, advice)]
  return parts.map((module) => {
    const why = module.detail ?? module.pending
    return fail(`${name}: ${module.name} is ${module.state}${why === undefined ? '' : `: ${why}`}`, advice)
  })
}
