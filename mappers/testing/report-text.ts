import type { CheckResult, ConformanceReport } from './check-mapper.ts'

const MARKS: Readonly<Record<CheckResult['result'], string>> = {
  passed: 'ok  ',
  failed: 'FAIL',
  'not applicable': '-   ',
}

/** One check as people read it. */
export function resultText({ result, name, reason, advice }: CheckResult): string {
  if (result === 'not applicable') return `${MARKS[result]} ${name} (not applicable: ${reason})`
  const lines = [`${MARKS[result]} ${name}`]
  if (reason !== undefined) lines.push(`       ${reason}`)
  if (advice !== undefined) lines.push(`       What to do: ${advice}`)
  return lines.join('\n')
}

/** What the whole comes to. */
export function summaryText({ protocol, passed, failed, notApplicable }: ConformanceReport): string {
  const verdict = failed > 0 ? 'does not keep the contract yet' : 'keeps the contract'
  return `mapper ${protocol} ${verdict}: ${passed} passed, ${failed} failed, ${notApplicable} not applicable`
}
