import ts from 'typescript'

/** What is wrong at one place of one file. */
export interface Finding {
  readonly file: string
  readonly line: number
  readonly rule: string
  readonly message: string
}

/** Globals that only their home may touch, because they go around the ports that the composition root hands in. */
const GLOBALS: readonly { readonly text: RegExp; readonly home: RegExp; readonly use: string }[] = [
  { text: /^(Date\.now|performance\.now|setTimeout|setInterval)$/, home: /^platform\/time\//, use: 'Clock' },
  // Yields to the event loop; it measures no time.
  { text: /^setImmediate$/, home: /^platform\//, use: 'the bus or a module of platform' },
  {
    text: /^AbortSignal\.timeout$/,
    home: /^(platform\/time|runtime\/process)\//,
    use: 'withDeadline of platform/time',
  },
  { text: /^Math\.random$/, home: /^platform\/time\//, use: 'Random' },
  { text: /^process\.env$/, home: /^platform\/environment\//, use: 'platform/environment' },
  { text: /^console$/, home: /^$/, use: 'Logger' },
  { text: /^process\.stderr$/, home: /^(runtime\/process|platform\/log)\//, use: 'Logger' },
  {
    text: /^process\.(exit|on|once|stdout|send)$/,
    home: /^(runtime\/process|platform\/apart)\//,
    use: 'runtime/process',
  },
]

/** Files that may use every global: tests, their helpers, tools and benchmarks. */
const FREE = /(\.test\.ts$|\/testing\/|^tools\/|^bench\/)/
/** Modules that hand out what the globals are. */
const MODULES: readonly { readonly name: RegExp; readonly home: RegExp; readonly use: string }[] = [
  { name: /^(node:)?timers(\/promises)?$/, home: /^platform\/time\//, use: 'Clock' },
  { name: /^(node:)?(process|console)$/, home: /^$/, use: 'runtime/process' },
]
const DEFAULT_EXPORT_HOMES = /(^mappers\/[^/]+\/index\.ts$|^samples\/|\/testing\/)/
const GENERATED = /\.generated\.ts$/
const LONGEST_FILE = 450

/** All findings of one source file. `file` is its path from the root of the repository, with forward slashes. */
export function lintFile(file: string, text: string): readonly Finding[] {
  if (GENERATED.test(file)) return []
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true)
  const findings: Finding[] = []
  const report = (node: ts.Node, rule: string, message: string) => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
    findings.push({ file, line, rule, message })
  }
  const lines = source.getLineStarts().length
  if (lines > LONGEST_FILE) report(source, 'long-file', `${lines} lines: there are two ideas in it`)
  const visit = (node: ts.Node) => {
    checkAssertion(node, report)
    checkDefaultExport(file, node, report)
    checkCatch(node, source, report)
    if (!FREE.test(file)) checkGlobal(file, node, report)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return findings
}

type Report = (node: ts.Node, rule: string, message: string) => void

function checkAssertion(node: ts.Node, report: Report): void {
  if (ts.isAsExpression(node) && !ts.isConstTypeReference(node.type)) {
    report(node, 'no-as', 'parse the value or narrow it; `as` hides what it is')
  }
  if (ts.isTypeAssertionExpression(node)) report(node, 'no-as', 'parse the value or narrow it')
  if (ts.isNonNullExpression(node)) report(node, 'no-non-null', 'handle the missing value')
  if (node.kind === ts.SyntaxKind.AnyKeyword) report(node, 'no-any', 'name the type, or use unknown and narrow it')
}

function checkDefaultExport(file: string, node: ts.Node, report: Report): void {
  if (!ts.isExportAssignment(node) || DEFAULT_EXPORT_HOMES.test(file)) return
  report(node, 'no-default-export', 'export it by name')
}

/** An empty catch is allowed to say why in a comment; nothing at all is not. */
function checkCatch(node: ts.Node, source: ts.SourceFile, report: Report): void {
  if (!ts.isCatchClause(node) || node.block.statements.length > 0) return
  if (/\/\/|\/\*/.test(node.block.getFullText(source))) return
  report(node, 'empty-catch', 'narrow the error, rethrow it, or say why it does not matter')
}

function checkGlobal(file: string, node: ts.Node, report: Report): void {
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && (node.arguments?.length ?? 0) === 0) {
    if (!/^platform\/time\//.test(file)) report(node, 'no-global', 'new Date() without an argument: use Clock')
    return
  }
  checkModule(file, node, report)
  for (const text of globalTexts(node)) {
    const rule = GLOBALS.find((each) => each.text.test(text))
    if (rule && !rule.home.test(file)) report(node, 'no-global', `${text}: use ${rule.use}`)
  }
}

function checkModule(file: string, node: ts.Node, report: Report): void {
  if (!ts.isImportDeclaration(node) || !ts.isStringLiteral(node.moduleSpecifier)) return
  const { text } = node.moduleSpecifier
  const rule = MODULES.find((each) => each.name.test(text))
  if (rule && !rule.home.test(file)) report(node, 'no-global', `${text}: use ${rule.use}`)
}

/** `name` or `object.name` where it is a use of a global, not a declaration, a member or a key of the same name. */
function globalTexts(node: ts.Node): readonly string[] {
  if (ts.isPropertyAccessExpression(node)) return [plain(node.getText())]
  if (ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression)) {
    return [plain(`${node.expression.getText()}.${node.argumentExpression.text}`)]
  }
  if (!ts.isIdentifier(node)) return []
  return [...takenFrom(node), ...(isName(node) ? [] : [node.text])]
}

function plain(text: string): string {
  return text.replace(/[\s?]/g, '').replace(/^globalThis\./, '')
}

/** `const { env } = process` takes `process.env`. */
function takenFrom(node: ts.Identifier): readonly string[] {
  const { parent } = node
  if (!ts.isVariableDeclaration(parent) || parent.initializer !== node) return []
  if (!ts.isObjectBindingPattern(parent.name)) return []
  return parent.name.elements.map((each) => plain(`${node.text}.${(each.propertyName ?? each.name).getText()}`))
}

/** The identifier names a thing of its own: a member, a key, a declaration, a type. */
function isName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isShorthandPropertyAssignment(parent)) return false
  // `console` alone is a use already; of the others it is the member that counts.
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node || node.text !== 'console'
  if ('name' in parent && parent.name === node) return true
  if (ts.isBindingElement(parent)) return parent.propertyName === node
  return (
    ts.isTypeNode(parent) || ts.isQualifiedName(parent) || ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent)
  )
}
