import { seconds, systemClock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { dataDirectory } from '../data-directory.ts'
import { allChecks } from '../doctor/checks/all.ts'
import { runChecks } from '../doctor/run-checks.ts'
import { readSetup } from '../doctor/setup.ts'
import { doctorText } from '../doctor/text.ts'
import { EXIT } from '../exit.ts'
import type { Console } from '../terminal.ts'

/** Of one check. */
const DEADLINE = seconds(10)

/** `skerry doctor`: looks at this machine and a data directory, and changes nothing. Exits 1 where something failed. */
export async function doctor(options: CommonOptions, terminal: Console): Promise<number> {
  const setup = await readSetup(dataDirectory(options.data, 'ask'), options.config)
  const findings = await runChecks(
    allChecks(() => systemClock.now()),
    setup,
    { clock: systemClock, deadline: DEADLINE },
  )
  const failed = findings.filter(({ outcome }) => outcome === 'fail').length
  const { directory, kind } = setup
  terminal.print(options.output, { healthy: failed === 0, directory, kind, findings }, doctorText(findings))
  return failed === 0 ? EXIT.ok : EXIT.failure
}
