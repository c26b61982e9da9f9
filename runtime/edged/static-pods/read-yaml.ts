import { Composer, type Document, Lexer, Parser } from 'yaml'
import type { Json } from '../../../schemas/index.ts'

/** Why a text says nothing, for people. */
export class YamlError extends Error {
  override readonly name = 'YamlError'
}

const MOST_ALIASES = 100
/** Levels of the reader's own, about two for each of the text. */
const DEEPEST = 200

/** Reads the one document of a text, in YAML or JSON. Throws a YamlError. */
export function readYaml(text: string): Json {
  const [document, another] = documentsIn(text)
  if (!document) throw new YamlError('there is nothing in it')
  if (another) throw new YamlError('there is more than one document in it: each pod needs a file of its own')
  const [problem] = document.errors
  if (problem) throw new YamlError(problem.message)
  try {
    // By way of JSON, which has no dates and no references.
    return JSON.parse(JSON.stringify(document.toJS({ maxAliasCount: MOST_ALIASES })) ?? 'null')
  } catch (error) {
    // An alias that stands for nothing, for too much, or for what it is in.
    if (error instanceof ReferenceError || error instanceof TypeError) throw new YamlError(error.message)
    throw error
  }
}

/** The recursive part of the reader comes after the one that is not, where the depth is known: a stack that overflows there ends the process. */
function documentsIn(text: string): readonly Document[] {
  const parser = new Parser()
  const composer = new Composer({ prettyErrors: false })
  const documents: Document[] = []
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) documents.push(...composer.next(token))
    if (parser.stack.length > DEEPEST) throw new YamlError('it is nested too deeply')
  }
  for (const token of parser.end()) documents.push(...composer.next(token))
  documents.push(...composer.end())
  return documents
}
