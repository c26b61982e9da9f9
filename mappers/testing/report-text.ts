import type { CheckResult, ConformanceReport } from './check-mapper.ts'

/** One check as people read it. */
export function resultText({ result, name, reason, advice }: CheckResult): string {
  if (result === 'not applicable') return `-    ${name} (not applicable: ${reason})`
  const lines = [`${result === 'passed' ? 'ok  ' : 'FAIL'} ${name}`]
  if (reason !== undefined) lines.push(`       ${reason}`)
  if (advice !== undefined) lines.push(`       What to do: ${advice}`)
  return lines.join('\n')
}

/** What the whole comes to, and what was not tried for which reason. */
export function summaryText({ protocol, passed, failed, notApplicable, checks }: ConformanceReport): string {
  const untried = Map.groupBy(
    checks.filter(({ result }) => result === 'not applicable'),
    ({ reason = '' }) => reason,
  )
  const lines = [...untried].map(([reason, { length }]) => `-    ${length} not applicable: ${reason}`)
  const verdict = failed > 0 ? 'does not keep the contract yet' : 'keeps the contract'
  const summary = `mapper ${protocol} ${verdict}: ${passed} passed, ${failed} failed, ${notApplicable} not applicable`
  return [...lines, '', summary].join('\n')
}
