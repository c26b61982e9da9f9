import { globSync, readFileSync } from 'node:fs'
import ts from 'typescript'

/** One place that makes an error with a code. */
export interface ErrorEntry {
  readonly code: string
  /** Class of the error; empty where the place does not say it. */
  readonly kind: string
  /** The constant text, or what the comment above the place says. */
  readonly message: string
}

const CODE = /^(PLATFORM|TWIN|MAPPERS?|HUB|PROCESS|EDGED)_[A-Z0-9_]+$/

const WHAT_TO_DO: Readonly<Record<string, string>> = {
  ConfigError: 'change the configuration',
  UnavailableError: 'wait; it is tried again',
  DeadlineError: 'wait; it is tried again',
  ConflictError: 'read again, then try again',
  RefusedError: 'the other side said no and will say it again',
  BugError: 'report it',
}

/** Catalogue of all error codes, from the places that make them. */
export function errorsPage(): string {
  const sources = globSync('{platform,twin,mappers,hub,runtime}/**/*.ts')
    .filter((file) => !/(\.test\.ts$|\/testing\/|\.generated\.ts$)/.test(file))
    .sort()
    .map((file) => ({ file, source: parse(file, readFileSync(file, 'utf8')) }))
  const bases = new Map(sources.flatMap(({ source }) => basesOf(source)))
  const found = sources.flatMap(({ file, source }) => errorsOf(source).map((entry) => ({ ...entry, file })))
  const codes = [...new Set(found.map(({ code }) => code))].sort()
  const lines = codes.map((code) => {
    // Where several places make it, the one that says most.
    const places = found.filter((entry) => entry.code === code)
    const told = places.find(({ kind, message }) => kind !== '' && message !== '') ?? places[0]
    const what = whatToDo(told?.kind ?? '', bases)
    return `| \`${code}\` | ${cell(told?.message ?? '')} | ${what} | \`${told?.file}\` |`
  })
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

export function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
}

/** Every literal error code of a file. */
export function errorsOf(source: ts.SourceFile): readonly ErrorEntry[] {
  const found: ErrorEntry[] = []
  const visit = (node: ts.Node) => {
    if (ts.isStringLiteral(node) && CODE.test(node.text)) found.push({ code: node.text, ...storyOf(node) })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Message and class, from the innermost construction around the code. */
function storyOf(literal: ts.Node): Omit<ErrorEntry, 'code'> {
  for (let at = literal.parent; !ts.isSourceFile(at); at = at.parent) {
    if (ts.isNewExpression(at) && /Error$/.test(at.expression.getText())) {
      return { kind: at.expression.getText(), message: messageOf(at.arguments?.[0], at) }
    }
    if (ts.isCallExpression(at) && at.expression.kind === ts.SyntaxKind.SuperKeyword) {
      return { kind: enclosingClass(at), message: messageOf(at.arguments[0], at) }
    }
    if (ts.isPropertyDeclaration(at)) return { kind: enclosingClass(at), message: commentAbove(at) }
    if (ts.isObjectLiteralExpression(at)) {
      const message = propertyOf(at, 'message')
      if (message) return { kind: '', message: messageOf(message, at) }
    }
    if (ts.isVariableDeclaration(at)) {
      const story = storyOfUses(at)
      if (story) return story
    }
    if (ts.isFunctionDeclaration(at)) break
  }
  return { kind: '', message: commentAbove(literal) }
}

/** The errors that are made with a constant which holds the code; without a kind where they are of several. */
function storyOfUses({ name, parent }: ts.VariableDeclaration): Omit<ErrorEntry, 'code'> | undefined {
  const found: ts.NewExpression[] = []
  const visit = (node: ts.Node) => {
    if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) {
      if (node.arguments?.some((argument) => argument.getText() === name.getText())) found.push(node)
    }
    ts.forEachChild(node, visit)
  }
  visit(parent.parent.parent)
  const [first] = found
  const kinds = new Set(found.map(({ expression }) => expression.getText()))
  return (
    first && {
      kind: kinds.size === 1 ? first.expression.getText() : '',
      message: messageOf(first.arguments?.[0], first),
    }
  )
}

/** The constant text; what a template fills in shows as an ellipsis, and a message from outside as the comment of the place. */
function messageOf(argument: ts.Expression | undefined, place: ts.Node): string {
  if (argument && ts.isStringLiteralLike(argument)) return argument.text
  if (argument && ts.isTemplateExpression(argument)) {
    return argument.head.text + argument.templateSpans.map((span) => `…${span.literal.text}`).join('')
  }
  if (argument && ts.isIdentifier(argument)) {
    const initializer = constantOf(argument)
    if (initializer) return messageOf(initializer, place)
  }
  return commentAbove(place)
}

/** The initializer of the constant with this name in a block around its use. */
function constantOf(name: ts.Identifier): ts.Expression | undefined {
  for (let at: ts.Node = name.parent; at.parent; at = at.parent) {
    if (!ts.isBlock(at)) continue
    for (const statement of at.statements) {
      if (!ts.isVariableStatement(statement)) continue
      const found = statement.declarationList.declarations.find((each) => each.name.getText() === name.text)
      if (found?.initializer) return found.initializer
    }
  }
  return undefined
}

/** First sentence of the comment of the class, function or constant around a place. */
function commentAbove(place: ts.Node): string {
  for (let at = place; !ts.isSourceFile(at); at = at.parent) {
    const comment = ts.getJSDocCommentsAndTags(at)[0]
    if (comment)
      return (ts.getTextOfJSDocComment(comment.comment) ?? '').replace(/\s+/g, ' ').replace(/[.:] .*$|\.$/, '')
  }
  return ''
}

function enclosingClass(node: ts.Node): string {
  for (let at = node; !ts.isSourceFile(at); at = at.parent) if (ts.isClassLike(at)) return at.name?.text ?? ''
  return ''
}

function propertyOf(literal: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  for (const property of literal.properties) {
    if (ts.isPropertyAssignment(property) && property.name.getText() === name) return property.initializer
  }
  return undefined
}

function basesOf(source: ts.SourceFile): readonly (readonly [string, string])[] {
  return source.statements.filter(ts.isClassDeclaration).flatMap((each) => {
    const base = each.heritageClauses?.[0]?.types[0]?.expression.getText()
    return each.name && base ? [[each.name.text, base] as const] : []
  })
}

function whatToDo(kind: string, bases: ReadonlyMap<string, string>): string {
  for (let at: string | undefined = kind; at !== undefined; at = bases.get(at)) {
    const what = WHAT_TO_DO[at]
    if (what !== undefined) return what
  }
  return 'see the message'
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
