import type { NamedFinding, Outcome } from './finding.ts'

const MARKS: Readonly<Record<Outcome, string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' }

export function doctorText(findings: readonly NamedFinding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, outcome, message, advice = '' }) => {
    const indent = ' '.repeat(width + 8)
    const steps = advice === '' ? [] : advice.split('\n').map((line) => `${indent}${line}`.trimEnd())
    return [`${MARKS[outcome]}  ${check.padEnd(width)}  ${message}`, ...steps]
  })
  return [...lines, '', summary(findings)].join('\n')
}

function summary(findings: readonly NamedFinding[]): string {
  const count = (outcome: Outcome) => findings.filter((each) => each.outcome === outcome).length
  return `${count('fail')} failed, ${count('warn')} with a warning, ${count('ok')} ok`
}
