import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js'
import { entryOf } from '../object/access.ts'
import type { CelValue } from './values.ts'

/** One expression, as CEL's abstract syntax has it: operators are calls. `at` is where messages point to, from 0. */
export type Node =
  | { readonly op: 'literal'; readonly at: number; readonly value: CelValue }
  | { readonly op: 'name'; readonly at: number; readonly name: string }
  | { readonly op: 'select'; readonly at: number; readonly of: Node; readonly field: string; readonly mode: SelectMode }
  | {
      readonly op: 'call'
      readonly at: number
      readonly name: string
      readonly target?: Node
      readonly args: readonly Node[]
    }
  | { readonly op: 'list'; readonly at: number; readonly items: readonly Node[] }
  | { readonly op: 'map'; readonly at: number; readonly entries: readonly (readonly [Node, Node])[] }
  | { readonly op: 'and' | 'or'; readonly at: number; readonly left: Node; readonly right: Node }
  | { readonly op: 'if'; readonly at: number; readonly test: Node; readonly yes: Node; readonly no: Node }
  | Fold

/** `has(a.b)` asks, `a.?b` gives an optional value. */
export type SelectMode = 'value' | 'has' | 'optional'

/** A macro that goes over the members of a list or map. */
export interface Fold {
  readonly op: 'fold'
  readonly at: number
  readonly kind: FoldKind
  readonly of: Node
  /** One name, or index and value of a list, key and value of a map. */
  readonly names: readonly string[]
  readonly when?: Node
  /** What becomes of a member; absent for filter. */
  readonly make?: Node
}

export type FoldKind =
  | 'all'
  | 'exists'
  | 'existsOne'
  | 'map'
  | 'filter'
  | 'transformMap'
  | 'transformMapEntry'
  | 'optMap'
  | 'optFlatMap'

/** Something wrong with the text of an expression; `at` counts UTF-16 units from 0. */
export interface Issue {
  readonly at: number
  readonly message: string
}

export class SyntaxIssue extends Error {
  readonly at: number

  constructor(at: number, message: string) {
    super(message)
    this.at = at
  }
}

/** No expression of a person comes near. */
const LIMITS = { maxAstNodes: 20_000, maxDepth: 100, maxListElements: 1000, maxMapEntries: 1000, maxCallArguments: 32 }
const parser = new Environment({ enableOptionalTypes: true, limits: LIMITS })

const MANY_SIGNS = /(?:[!-]\s*){251}/

/** Throws a SyntaxIssue. */
export function parseExpression(text: string): Node {
  let tree: ASTNode
  // The parser does not count these among its depth.
  if (MANY_SIGNS.test(text)) throw new SyntaxIssue(0, 'Syntax error: expression recursion limit exceeded: 250')
  try {
    tree = parser.parse(text).ast
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw new SyntaxIssue(error.range?.start ?? 0, `Syntax error: ${lowered(error.summary)}`)
  }
  return convert(tree)
}

function lowered(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

const BINARY = new Set(['==', '!=', '+', '-', '*', '/', '%', '<', '<=', '>', '>='])

function convert(node: ASTNode): Node {
  switch (node.op) {
    case 'value':
      return { op: 'literal', at: node.start, value: literal(node.args, node.start) }
    case 'id':
      return { op: 'name', at: node.start, name: node.args }
    case '.':
    case '.?': {
      const [of, field] = node.args
      const mode = node.op === '.' ? 'value' : 'optional'
      return { op: 'select', at: seek(node.input, of.end, '.'), of: convert(of), field, mode }
    }
    case '[]':
    case '[?]': {
      const [of, key] = node.args
      const name = node.op === '[]' ? '_[_]' : '_[?_]'
      return { op: 'call', at: seek(node.input, of.end, '['), name, args: [convert(of), convert(key)] }
    }
    case 'call':
      return converted(node.start + node.args[0].length, node, node.args[0], undefined, node.args[1])
    case 'rcall': {
      const [name, target, args] = node.args
      return converted(seek(node.input, target.end, '.'), node, name, target, args)
    }
    case 'list':
      return { op: 'list', at: node.start, items: node.args.map(convert) }
    case 'map':
      return { op: 'map', at: node.start, entries: node.args.map(([key, value]) => [convert(key), convert(value)]) }
    case '?:': {
      const [test, yes, no] = node.args
      return { op: 'if', at: seek(node.input, test.end, '?'), test: convert(test), yes: convert(yes), no: convert(no) }
    }
    case '&&':
    case '||': {
      const [left, right] = node.args
      const op = node.op === '&&' ? 'and' : 'or'
      return { op, at: seek(node.input, left.end, node.op), left: convert(left), right: convert(right) }
    }
    case '!_':
      return { op: 'call', at: node.start, name: '!_', args: [convert(node.args)] }
    case '-_':
      return negated(node.start, node.args)
    default:
      return binary(node)
  }
}

type BinaryNode = Extract<
  ASTNode,
  { readonly op: '==' | '!=' | 'in' | '+' | '-' | '*' | '/' | '%' | '<' | '<=' | '>' | '>=' }
>

function binary(node: BinaryNode): Node {
  const [left, right] = node.args
  const name = BINARY.has(node.op) ? `_${node.op}_` : '@in'
  return { op: 'call', at: seek(node.input, left.end, node.op), name, args: [convert(left), convert(right)] }
}

/** The smallest int is written as the negation of a number that is none. */
function negated(at: number, of: ASTNode): Node {
  if (of.op === 'value' && typeof of.args === 'bigint') return { op: 'literal', at, value: ranged(-of.args, at) }
  if (of.op === 'value' && typeof of.args === 'number') return { op: 'literal', at, value: -of.args }
  return { op: 'call', at, name: '-_', args: [convert(of)] }
}

function literal(value: Extract<ASTNode, { readonly op: 'value' }>['args'], at: number): CelValue {
  if (typeof value === 'bigint') return ranged(value, at)
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value
  return { kind: 'uint', value: BigInt(value.valueOf()) }
}

function ranged(value: bigint, at: number): bigint {
  if (value === BigInt.asIntN(64, value)) return value
  throw new SyntaxIssue(at, 'Syntax error: invalid int literal')
}

/** Between two operands stand only blanks, comments and closing brackets beside the sign itself. */
function seek(input: string, from: number, sign: string): number {
  const found = input.indexOf(sign, from)
  return found < 0 ? from : found
}

function converted(
  from: number,
  node: ASTNode,
  name: string,
  target: ASTNode | undefined,
  args: readonly ASTNode[],
): Node {
  const at = seek(node.input, from, '(')
  const of = target && convert(target)
  if (!of && name === 'has' && args.length === 1) return presence(at, args[0])
  const fold = of && foldOf(at, name, of, args)
  if (fold) return fold
  return { op: 'call', at, name, ...(of && { target: of }), args: args.map(convert) }
}

function presence(at: number, field: ASTNode | undefined): Node {
  if (field?.op !== '.') throw new SyntaxIssue(field?.start ?? at, 'invalid argument to has() macro')
  return { op: 'select', at, of: convert(field.args[0]), field: field.args[1], mode: 'has' }
}

const QUANTIFIERS: Readonly<Record<string, FoldKind>> = {
  all: 'all',
  exists: 'exists',
  exists_one: 'existsOne',
  existsOne: 'existsOne',
}

function foldOf(at: number, name: string, of: Node, args: readonly ASTNode[]): Fold | undefined {
  const fold = (kind: FoldKind, names: readonly (ASTNode | undefined)[], steps: { when?: ASTNode; make?: ASTNode }) => {
    const { when, make } = steps
    return {
      op: 'fold' as const,
      at,
      kind,
      of,
      names: names.map((each) => variable(each, at)),
      ...(when && { when: convert(when) }),
      ...(make && { make: convert(make) }),
    }
  }
  const [first, second, third, fourth] = args
  const quantifier = entryOf(QUANTIFIERS, name)
  if (quantifier && second && args.length === 2) return fold(quantifier, [first], { make: second })
  if (quantifier && third && args.length === 3) return fold(quantifier, [first, second], { make: third })
  if (name === 'map' && second && args.length === 2) return fold('map', [first], { make: second })
  if (name === 'map' && second && third && args.length === 3) return fold('map', [first], { when: second, make: third })
  if (name === 'filter' && second && args.length === 2) return fold('filter', [first], { when: second })
  if ((name === 'optMap' || name === 'optFlatMap') && second && args.length === 2) {
    return fold(name, [first], { make: second })
  }
  const transform = name === 'transformList' ? 'map' : name
  if (transform !== 'map' && transform !== 'transformMap' && transform !== 'transformMapEntry') return undefined
  if (name !== 'map' && third && args.length === 3) return fold(transform, [first, second], { make: third })
  if (name !== 'map' && third && fourth && args.length === 4) {
    return fold(transform, [first, second], { when: third, make: fourth })
  }
  return undefined
}

function variable(node: ASTNode | undefined, at: number): string {
  if (node?.op === 'id') return node.args
  throw new SyntaxIssue(node?.start ?? at, 'argument must be a simple name')
}
