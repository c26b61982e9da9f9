import type { Budget } from './budget.ts'
import { type Checked, check, type Variables } from './check.ts'
import { evaluate, type Scope } from './evaluate.ts'
import { type Issue, type Node, parseExpression, SyntaxIssue } from './syntax.ts'
import type { CelType } from './types.ts'
import type { CelValue } from './values.ts'

/** An expression that can be run. */
export interface Program {
  readonly type: CelType
  readonly uses: ReadonlySet<string>
  readonly node: Node
  readonly checked: Checked
  /** Throws a CelError, or a BudgetError. */
  readonly run: (scope: Scope, budget: Budget) => CelValue
}

/** `errors` as a compiler of CEL shows them, each with its line and place. */
export type Compiled = Program | { readonly errors: string }

/** Longer ones, no person writes and nobody reads. */
const LONGEST = 64 * 1024

export function compile(text: string, variables: Variables): Compiled {
  if (text.length > LONGEST) return { errors: `expression is longer than ${LONGEST} characters` }
  let node: Node
  try {
    node = parseExpression(text)
  } catch (error) {
    if (error instanceof SyntaxIssue) return { errors: issueText(text, { at: error.at, message: error.message }) }
    throw error
  }
  const checked = check(node, variables)
  if (checked.issues.length > 0) return { errors: checked.issues.map((each) => issueText(text, each)).join('\n') }
  return {
    type: checked.type,
    uses: checked.names,
    node,
    checked,
    run: (scope, budget) => evaluate(node, checked, scope, budget),
  }
}

function issueText(text: string, { at, message }: Issue): string {
  const before = text.slice(0, at).split('\n')
  const column = [...(before.at(-1) ?? '')].length
  const line = text.split('\n')[before.length - 1] ?? ''
  return `ERROR: <input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`
}
