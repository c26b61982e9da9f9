import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'
import { parse } from './errors.ts'

/** One metric of the sources. */
export interface MetricEntry {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
}

const NAME = /^skerry_[a-z0-9_]+$/
const PART = /^[a-z][a-z0-9_]*$/

/** Catalogue of all metrics, from the places that make them. */
export function metricsPage(): string {
  const found = globSync('{platform,twin,mappers,hub,runtime}/**/*.ts')
    .filter((file) => !/(\.test\.ts$|\/testing\/|\.generated\.ts$)/.test(file))
    .sort()
    .flatMap((file) => metricsOf(parse(file, readFileSync(file, 'utf8'))))
  const names = [...new Set(found.map(({ name }) => name))].sort()
  const rows = names.map((name) => {
    const places = found.filter((each) => each.name === name)
    const { kind, help } = places[0] ?? { kind: 'gauge', help: '' }
    const labels = [...new Set(places.flatMap((each) => each.labels))].map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${labels} | ${help.replaceAll('|', '\\|')} |`
  })
  return [
    '# Metrics',
    '',
    'For people who watch Skerry with Prometheus. *Generated from the sources by `npm run gen`.*',
    '',
    'Each half serves them at `/metrics` of its [metrics address](ports-and-files.md); a half shows those of the parts that run in it. Beside them',
    'stand those of Node.js (`nodejs_…`, `process_…`). A histogram `x` is read as `x_bucket`, `x_sum` and `x_count`.',
    '',
    '| metric | kind | labels | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/**
 * The metrics that a file makes: `{ name, help }` in literals, or the two next to each other in a call or a tuple. A name that is
 * put together (`skerry_x_${part}`) takes its parts from such neighbours in the same file. Throws for a name without a help.
 */
export function metricsOf(source: ts.SourceFile): readonly MetricEntry[] {
  const found: MetricEntry[] = []
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteralLike(node) && NAME.test(node.text)) found.push(entryOf(source, node))
    if (ts.isTemplateExpression(node) && /^skerry_[a-z0-9_]+_$/.test(node.head.text)) {
      found.push(...composed(source, node))
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function entryOf(source: ts.SourceFile, literal: ts.StringLiteralLike): MetricEntry {
  const { parent, text: name } = literal
  const options = ts.isPropertyAssignment(parent) ? parent.parent : undefined
  const help = options ? textOf(propertyOf(options, 'help')) : textOf(neighbourOf(literal))
  if (help === undefined) {
    const { line } = source.getLineAndCharacterOfPosition(literal.pos)
    throw new Error(`${source.fileName}:${line + 1}: the metric ${name} has no help beside its name`)
  }
  return { name, kind: kindOf(literal, name), help, labels: options ? labelsOf(source, options) : labelsNear(literal) }
}

function composed(source: ts.SourceFile, template: ts.TemplateExpression): readonly MetricEntry[] {
  const found: MetricEntry[] = []
  const options = ts.isPropertyAssignment(template.parent) ? template.parent.parent : undefined
  const labels = options ? labelsOf(source, options) : []
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteral(node) && PART.test(node.text)) {
      const help = textOf(neighbourOf(node))
      const name = `${template.head.text}${node.text}`
      if (help?.includes(' ')) found.push({ name, kind: kindOf(template, name), help, labels })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** What stands behind it in a call or a tuple. */
function neighbourOf(node: ts.StringLiteralLike): ts.Expression | undefined {
  const { parent } = node
  const list = ts.isCallExpression(parent)
    ? parent.arguments
    : ts.isArrayLiteralExpression(parent)
      ? parent.elements
      : undefined
  return list?.[0] === node ? list[1] : undefined
}

/** By the call around it; else by its name, as Prometheus wants names to be. */
function kindOf(node: ts.Node, name: string): MetricEntry['kind'] {
  for (let at = node.parent; !ts.isSourceFile(at); at = at.parent) {
    if (!ts.isCallExpression(at)) continue
    const kind = /(counter|gauge|histogram)$/i.exec(at.expression.getText())?.[1]?.toLowerCase()
    if (kind === 'counter' || kind === 'gauge' || kind === 'histogram') return kind
  }
  return name.endsWith('_total') ? 'counter' : 'gauge'
}

function labelsOf(source: ts.SourceFile, options: ts.Node): readonly string[] {
  const property = propertyOf(options, 'labels')
  if (!property) return []
  return listOf(ts.isIdentifier(property) ? constantOf(source, property.text) : property)
}

/** Of a helper of the file that makes metrics with the labels of a constant: `metrics.counter({ name, help, labels })`. */
function labelsNear(literal: ts.StringLiteralLike): readonly string[] {
  const source = literal.getSourceFile()
  const callee = ts.isCallExpression(literal.parent) ? literal.parent.expression.getText() : undefined
  let labels: readonly string[] = []
  const visit = (node: ts.Node) => {
    const isHelper = ts.isVariableDeclaration(node) && node.name.getText() === callee
    // A tuple is used by whoever makes the metrics of the file.
    if (ts.isObjectLiteralExpression(node) && callee === undefined && hasShorthand(node, 'help')) {
      labels = labelsOf(source, node)
    } else if (isHelper) {
      const options = objectIn(node)
      if (options) labels = labelsOf(source, options)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return labels
}

function objectIn(node: ts.Node): ts.ObjectLiteralExpression | undefined {
  if (ts.isObjectLiteralExpression(node)) return node
  return ts.forEachChild(node, objectIn)
}

function hasShorthand(literal: ts.ObjectLiteralExpression, name: string): boolean {
  return literal.properties.some((each) => ts.isShorthandPropertyAssignment(each) && each.name.text === name)
}

function listOf(node: ts.Node | undefined): readonly string[] {
  if (!node || !ts.isArrayLiteralExpression(node)) return []
  return [...new Set(node.elements.map((each) => (ts.isStringLiteralLike(each) ? each.text : '…')))]
}

function constantOf(source: ts.SourceFile, name: string): ts.Expression | undefined {
  let found: ts.Expression | undefined
  const visit = (node: ts.Node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name) found ??= node.initializer
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function propertyOf(node: ts.Node, name: string): ts.Expression | undefined {
  if (!ts.isObjectLiteralExpression(node)) return undefined
  for (const property of node.properties) {
    if (ts.isPropertyAssignment(property) && property.name.getText() === name) return property.initializer
    if (ts.isShorthandPropertyAssignment(property) && property.name.text === name) return property.name
  }
  return undefined
}

/** A constant text, also one put together with +. */
function textOf(node: ts.Expression | undefined): string | undefined {
  if (!node) return undefined
  if (ts.isStringLiteralLike(node)) return node.text
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return undefined
  const [left, right] = [textOf(node.left), textOf(node.right)]
  return left === undefined || right === undefined ? undefined : left + right
}
