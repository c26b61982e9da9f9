import { describeError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, withDeadline } from '../../../platform/time/index.ts'
import { type Check, type Finding, fail, type NamedFinding } from './finding.ts'
import type { Setup } from './setup.ts'

/** All at once, each within its deadline; their findings in the order of the checks. */
export async function runChecks(
  checks: readonly Check[],
  setup: Setup,
  { clock, deadline }: { readonly clock: Clock; readonly deadline: Duration },
): Promise<readonly NamedFinding[]> {
  const found = await Promise.all(
    checks.map(async ({ name, run }) => {
      const findings = await withDeadline(clock, deadline, undefined, (signal) => run(setup, signal)).catch(failed)
      return findings.map((finding): NamedFinding => ({ check: name, ...finding }))
    }),
  )
  return found.flat()
}

function failed(error: unknown): readonly Finding[] {
  return [
    fail(
      `this could not be looked at: ${describeError(error)}`,
      'run skerry doctor again; as root, if it may not see it',
    ),
  ]
}
