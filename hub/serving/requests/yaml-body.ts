import { Composer, type Document, isScalar, Lexer, LineCounter, Parser, visit } from 'yaml'
import { DEEPEST } from '../../kube/object/index.ts'
import { failure, tooLarge } from '../../kube/status.ts'

/** What a text in YAML says. */
export interface YamlBody {
  /** The same in JSON, however deep. */
  readonly json: string
  /** Keys that came twice in one mapping, as Kubernetes tells of them. The last counts. */
  readonly duplicates: readonly string[]
}

/** Why a text is no YAML, or none that can be JSON. */
export class YamlBodyError extends Error {
  override readonly name = 'YamlBodyError'
}

/** Of the text. Reading YAML costs far more than JSON, and nothing else is served meanwhile. */
const LARGEST = 512 * 1024
/** Of its words and signs. */
const MOST_LEXEMES = 150_000
/** Of what its aliases make of it. */
const LARGEST_MADE = 3 * 1024 * 1024
const MOST_ALIASES = 100
/** The reader holds about two levels for each of the text. */
const DEEPEST_READ = 2 * DEEPEST
const MOST_DUPLICATES = 100

/** Reads one document. Throws a YamlBodyError, or a Status for a text that would take too long. */
export function parseYamlBody(text: string): YamlBody {
  if (text.length > LARGEST) throw tooLong()
  const lines = new LineCounter()
  const document = composed(text, lines)
  const [problem] = document.errors
  if (problem) throw new YamlBodyError(problem.message)
  const duplicates: string[] = []
  visit(document, {
    Map: (_, map) => {
      if (duplicates.length < MOST_DUPLICATES) duplicates.push(...duplicatesIn(map.items, lines))
    },
  })
  return { json: jsonOf(document), duplicates }
}

/**
 * The recursive part of the reader comes after the one that is not, where the depth is known: at the end of the stack the whole
 * process would end (V8 takes a regular expression that it cannot compile there for the end of the memory).
 */
function composed(text: string, lines: LineCounter): Document {
  const parser = new Parser(lines.addNewLine)
  // Its own look for keys that come twice compares each with each.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false })
  const documents: Document[] = []
  let count = 0
  lines.addNewLine(0)
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > MOST_LEXEMES) throw tooLong()
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    if (parser.stack.length > DEEPEST_READ) {
      throw failure(400, 'BadRequest', `the body of the request is nested deeper than ${DEEPEST}`)
    }
    if (documents.length > 1) break
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end(true, text.length))
  const [document, another] = documents
  if (!document) throw new YamlBodyError('there is no document in it')
  if (another) throw new YamlBodyError('there is more than one document in it')
  return document
}

function duplicatesIn(items: readonly { readonly key: unknown }[], lines: LineCounter): readonly string[] {
  const seen = new Set<string>()
  const found: string[] = []
  for (const { key } of items) {
    if (!isScalar(key)) continue
    const name = String(key.value)
    if (seen.has(name) && found.length < MOST_DUPLICATES) {
      found.push(`line ${lines.linePos(key.range?.[0] ?? 0).line}: key ${JSON.stringify(name)} already set in map`)
    }
    seen.add(name)
  }
  return found
}

/** Nothing else than JSON comes in (.inf, dates, references). */
function jsonOf(document: Document): string {
  try {
    const text = JSON.stringify(document.toJS({ maxAliasCount: MOST_ALIASES })) ?? 'null'
    if (text.length > LARGEST_MADE) throw tooLarge(LARGEST_MADE)
    return text
  } catch (error) {
    // An alias that stands for nothing, for too much, or for what it is in.
    if (error instanceof ReferenceError || error instanceof TypeError) throw new YamlBodyError(error.message)
    throw error
  }
}

function tooLong() {
  const why = `Request entity too large: in YAML the limit is ${LARGEST} bytes and ${MOST_LEXEMES} words and signs; send JSON`
  return failure(413, 'RequestEntityTooLarge', why)
}
