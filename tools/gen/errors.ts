import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

interface ErrorEntry {
  readonly code: string
  readonly kind: string
  readonly message: string
  readonly file: string
}

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  ConfigError: 'change the configuration',
  UnavailableError: 'wait; it is tried again',
  ConflictError: 'read again, then try again',
  RefusedError: 'the other side said no and will say it again',
  BugError: 'report it',
  SkerryError: 'see the message',
}

/** Catalogue of all error codes, from the places that make them. */
export function errorsPage(): string {
  const entries = new Map<string, ErrorEntry>()
  for (const file of globSync('{platform,twin,mappers,hub,runtime}/**/*.ts').sort()) {
    if (/(\.test\.ts$|\/testing\/|\.generated\.ts$)/.test(file)) continue
    for (const entry of errorsOf(file)) if (!entries.has(entry.code)) entries.set(entry.code, entry)
  }
  const lines = [...entries.values()]
    .sort((a, b) => (a.code < b.code ? -1 : 1))
    .map(({ code, kind, message, file }) => `| \`${code}\` | ${message} | ${WHAT_TO_DO[kind] ?? kind} | \`${file}\` |`)
  return [
    '# Errors',
    '',
    'For people who met a code in a log or a message. *Generated from the sources by `npm run gen`.*',
    '',
    '| code | message | what to do | made in |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n')
}

function errorsOf(file: string): readonly ErrorEntry[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ESNext, true)
  const found: ErrorEntry[] = []
  const visit = (node: ts.Node) => {
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) {
      const code = codeOf(node.arguments?.[1])
      if (code !== undefined) {
        found.push({ code, kind: node.expression.getText(), message: messageOf(node.arguments?.[0]), file })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function codeOf(details: ts.Expression | undefined): string | undefined {
  if (!details || !ts.isObjectLiteralExpression(details)) return undefined
  for (const property of details.properties) {
    if (
      ts.isPropertyAssignment(property) &&
      property.name.getText() === 'code' &&
      ts.isStringLiteral(property.initializer)
    ) {
      return property.initializer.text
    }
  }
  return undefined
}

/** The constant text; what a template fills in shows as an ellipsis. */
function messageOf(argument: ts.Expression | undefined): string {
  if (!argument) return ''
  if (ts.isStringLiteralLike(argument)) return argument.text
  if (ts.isTemplateExpression(argument)) {
    return argument.head.text + argument.templateSpans.map((span) => `…${span.literal.text}`).join('')
  }
  return '…'
}
